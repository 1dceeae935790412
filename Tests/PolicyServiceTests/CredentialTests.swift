import Domain
import Foundation
import Messaging
import PolicyService
import ServiceKit
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@Suite("Credentials")
struct CredentialTests {
    private func check(
        _ bench: PolicyBench, _ client: CreateClientReply, secret: String? = nil, tenant: String = "demo"
    ) async throws
        -> AuthenticateClientReply
    {
        try await bench.call(
            AuthenticateClient.with {
                $0.tenant = tenant
                $0.clientID = client.client.id
                $0.secretDigest = digest(secret ?? client.secret)
            })
    }

    private func check(_ bench: PolicyBench, token: String, tenant: String = "demo") async throws
        -> AuthenticateTokenReply
    {
        try await bench.call(
            AuthenticateToken.with {
                $0.tenant = tenant
                $0.tokenDigest = digest(token)
            })
    }

    private func issue(_ bench: PolicyBench, _ client: CreateClientReply, id: RequestID? = nil) async throws
        -> IssueTokenReply
    {
        try await bench.call(
            IssueToken.with {
                $0.tenant = "demo"
                $0.clientID = client.client.id
                $0.secretDigest = digest(client.secret)
            }, id: id)
    }

    @Test("an application is known by its secret, in its own tenant alone")
    func client() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        try await bench.createTenant("other")
        let created = try await bench.createClient { $0.applications = ["Payroll", "Löner"] }
        let reply = try await check(bench, created)
        #expect(reply.client == created.client)
        #expect(reply.client.applications == ["Payroll", "Löner"])
        #expect(reply.client.roles == ["signIn"])
        #expect(
            await refusal { try await check(bench, created, secret: created.secret + "A") }?.code == .notAuthenticated)
        #expect(await refusal { try await check(bench, created, tenant: "other") }?.code == .notAuthenticated)
        var unknown = created
        unknown.client.id = "x"
        #expect(await refusal { try await check(bench, unknown) }?.code == .notAuthenticated)
        #expect(created.secret.utf8.count == 43)
    }

    @Test("a client that does not exist is not let in by a digest of zeros")
    func zeros() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let request = AuthenticateClient.with {
            $0.tenant = "demo"
            $0.clientID = "x"
            $0.secretDigest = Data(count: 32)
        }
        #expect(await refusal { try await bench.call(request) }?.code == .notAuthenticated)
    }

    @Test("names and roles of an application are checked by name")
    func invalidClients() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let changes: [(String, @Sendable (inout CreateClient) -> Void)] = [
            ("name", { $0.name = "" }), ("name", { $0.name = String(repeating: "x", count: 65) }),
            ("name", { $0.name = "Pay\u{202E}roll" }),
            ("name", { $0.name = "a\nb" }), ("applications[1]", { $0.applications = ["A", "A"] }),
            ("applications[0]", { $0.applications = ["\u{200B}"] }), ("roles", { $0.roles = ["root"] }),
            ("applications", { $0.applications = (0...100).map { "App \($0)" } }),
        ]
        for (member, change) in changes {
            let error = await refusal { try await bench.createClient("demo", change) }
            #expect(error?.code == .invalidValue)
            #expect(error?.members["member"] == member)
        }
    }

    @Test("a deleted application and its tokens are refused at once, and the tenant's revision moves")
    func deletion() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let created = try await bench.createClient()
        let id = RequestID.make(at: bench.time.withLock { $0 })
        let token = try await issue(bench, created, id: id).token
        #expect(try await issue(bench, created, id: id).token == token)
        let before = try await check(bench, token: token).revision
        let deletion = DeleteClient.with {
            $0.tenant = "demo"
            $0.clientID = created.client.id
            $0.actor = PolicyBench.administrator
        }
        let reading = ReadClient.with { ($0.tenant, $0.clientID) = ("demo", created.client.id) }
        #expect(try await bench.call(reading).client == created.client)
        #expect(await refusal { try await bench.call(ReadClient.with { $0.tenant = "demo" }) }?.code == .notFound)
        _ = try await bench.call(deletion)
        #expect(await refusal { try await bench.call(reading) }?.code == .notFound)
        #expect(await refusal { try await check(bench, created) }?.code == .notAuthenticated)
        #expect(await refusal { try await check(bench, token: token) }?.code == .notAuthenticated)
        #expect(await refusal { try await issue(bench, created, id: id) }?.code == .notAuthenticated)
        #expect(await refusal { try await bench.call(deletion) }?.code == .notFound)
        #expect(try #require(try await bench.watch().changed.first).revision > before)
    }

    @Test("a renewed administrator's token ends the earlier ones of its tenant alone, and a repeat shows the same one")
    func renewal() async throws {
        let bench = try await PolicyBench()
        let first = try await bench.createTenant().adminToken
        let other = try await bench.createTenant("other").adminToken
        let client = try await bench.createClient { $0.roles = ["admin"] }
        let before = try await check(bench, token: first).revision
        let renewal = RenewAdminToken.with {
            $0.tenant = "demo"
            $0.actor = PolicyBench.administrator
        }
        let id = RequestID.make(at: bench.time.withLock { $0 })
        let renewed = try await bench.call(renewal, id: id)
        #expect(renewed.name == "Demo")
        let reply = try await check(bench, token: renewed.adminToken)
        #expect(reply.kind == "admin" && reply.revision > before)
        #expect(await refusal { try await check(bench, token: first) }?.code == .notAuthenticated)
        _ = try await check(bench, token: other, tenant: "other")
        _ = try await check(bench, token: issue(bench, client).token)
        #expect(try await bench.call(renewal, id: id) == renewed)
        let second = try await bench.call(renewal)
        #expect(await refusal { try await check(bench, token: renewed.adminToken) }?.code == .notAuthenticated)
        _ = try await check(bench, token: second.adminToken)
        let unknown = RenewAdminToken.with { $0.tenant = "nobody" }
        #expect(await refusal { try await bench.call(unknown) }?.code == .notFound)
    }

    @Test("a token is good for an hour, in its own tenant alone, and is gone after a purge")
    func tokens() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        try await bench.createTenant("other")
        let created = try await bench.createClient { $0.roles = ["signIn", "admin"] }
        let issued = try await issue(bench, created)
        #expect(issued.expiresIn == 3600)
        let reply = try await check(bench, token: issued.token)
        #expect(reply.kind == "client")
        #expect(reply.client == created.client)
        #expect(reply.expiresAtMs == bench.time.withLock { $0.milliseconds } + 3_600_000)
        #expect(
            await refusal { try await check(bench, token: issued.token, tenant: "other") }?.code == .notAuthenticated)
        bench.advance(.seconds(3599))
        _ = try await check(bench, token: issued.token)
        bench.advance(.seconds(1))
        #expect(await refusal { try await check(bench, token: issued.token) }?.code == .notAuthenticated)
        try await bench.service.purge()
        #expect(await refusal { try await check(bench, token: issued.token) }?.code == .notAuthenticated)
    }

    @Test("a wrong secret gets no token")
    func wrongSecret() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        var created = try await bench.createClient()
        created.secret += "A"
        let wrong = created
        #expect(await refusal { try await issue(bench, wrong) }?.code == .notAuthenticated)
    }

    @Test("the first administrator's token is given once and does not expire")
    func administrator() async throws {
        let bench = try await PolicyBench()
        let created = try await bench.createTenant()
        #expect(!created.existed)
        let again = try await bench.createTenant("demo", name: "Another name")
        #expect(again.existed && again.adminToken.isEmpty && again.name == "Demo")
        bench.advance(.seconds(100 * 86_400))
        try await bench.service.purge()
        let reply = try await check(bench, token: created.adminToken)
        #expect(reply.kind == "admin")
        #expect(reply.expiresAtMs == 0)
        #expect(
            await refusal { try await check(bench, token: created.adminToken, tenant: "") }?.code == .notAuthenticated)
    }

    @Test(
        "a tenant's name in paths is checked", arguments: ["", "Demo", "a_b", "a/b", String(repeating: "a", count: 64)])
    func tenantNames(id: String) async throws {
        let bench = try await PolicyBench()
        #expect(await refusal { try await bench.createTenant(id) }?.members["member"] == "id")
    }

    @Test("the operator's token is in a file for its owner alone, is kept, and is good for no tenant")
    func operatorToken() async throws {
        let bench = try await PolicyBench()
        try await bench.createTenant()
        let text = try String(contentsOfFile: bench.operatorTokenFile, encoding: .utf8)
        let token = text.trimmingCharacters(in: .newlines)
        let mode = try FileManager.default.attributesOfItem(atPath: bench.operatorTokenFile)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(token.utf8.count == 43)
        #expect(try await check(bench, token: token, tenant: "").kind == "operator")
        #expect(await refusal { try await check(bench, token: token) }?.code == .notAuthenticated)
        await bench.stop()
        try bench.start()
        #expect(try await check(bench, token: token, tenant: "").kind == "operator")
    }

    @Test("a token file that others may read, or that is no token, stops the start")
    func badOperatorToken() async throws {
        let bench = try await PolicyBench()
        await bench.stop()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: bench.operatorTokenFile)
        let open = #expect(throws: ConfigurationProblem.self) { try bench.start() }
        #expect(
            open?.description.contains(bench.operatorTokenFile) == true && open?.description.contains("0600") == true)
        try Data("short".utf8).write(to: URL(filePath: bench.operatorTokenFile))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: bench.operatorTokenFile)
        let short = #expect(throws: ConfigurationProblem.self) { try bench.start() }
        #expect(
            short?.description.contains(bench.operatorTokenFile) == true
                && short?.description.contains("remove it") == true)
        #expect(short?.description.contains("short") == false)
    }

    @Test("applications and tenants are listed page by page")
    func lists() async throws {
        let bench = try await PolicyBench()
        for id in ["c", "a", "b"] { try await bench.createTenant(id) }
        var created: [String] = []
        for index in 0..<5 { created.append(try await bench.createClient("a") { $0.name = "App \(index)" }.client.id) }
        _ = try await bench.createClient("b")

        var listed: [String] = []
        var cursor = ""
        repeat {
            let page = try await bench.call(
                ListClients.with {
                    $0.tenant = "a"
                    $0.page.limit = 2
                    $0.page.cursor = cursor
                })
            listed += page.clients.map(\.id)
            cursor = page.next
        } while !cursor.isEmpty
        #expect(listed == created)

        let first = try await bench.call(ListTenants.with { $0.page.limit = 2 })
        #expect(first.tenants.map(\.tenant) == ["a", "b"])
        let second = try await bench.call(
            ListTenants.with {
                $0.page.limit = 2
                $0.page.cursor = first.next
            })
        #expect(second.tenants.map(\.tenant) == ["c"])
        #expect(second.next.isEmpty)
        #expect(await refusal { try await bench.call(ListTenants.with { $0.page.limit = 1001 }) }?.code == .outOfRange)
        let wrong = ListClients.with {
            $0.tenant = "a"
            $0.page.cursor = "x"
        }
        #expect(await refusal { try await bench.call(wrong) }?.code == .malformed)
    }
}
