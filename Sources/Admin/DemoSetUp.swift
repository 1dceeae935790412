import DeviceAPI
import Domain
import Foundation
import NIOHTTP1

/// Makes the demo tenant, or finds that it stands. Can be repeated after any interruption.
struct DemoSetUp {
    static let tenant = TenantID("demo")
    static let administrator = "admin"
    static let people = ["alice", "bob", "carol"]

    let client: GatewayClient
    let file: String
    var randomBytes: (Int) -> [UInt8] = { count in (0..<count).map { _ in UInt8.random(in: .min ... .max) } }

    enum Result { case unchanged, made, moved }

    func run() async throws -> Result {
        if FileManager.default.fileExists(atPath: file) {
            var demo = try DemoFile.read(file)
            if try await works(demo) {
                guard demo.base != client.base else { return .unchanged }
                demo.base = client.base
                try demo.write(file)
                return .moved
            }
        }
        let demo = try await make()
        try demo.write(file)
        DemoProgress.remove(file)
        return .made
    }

    /// Whether the administrator's token and the client's secret are accepted.
    private func works(_ demo: DemoFile) async throws -> Bool {
        guard try await isAccepted(onePerson(demo.admin.token)) else { return false }
        let credentials = Data("\(demo.client.id):\(demo.client.secret)".utf8).base64EncodedString()
        return try await isAccepted(
            GatewayCall(
                method: .POST, path: APIPaths.token(Self.tenant), body: Data("grant_type=client_credentials".utf8),
                contentType: APIMedia.form,
                authorization: "Basic \(credentials)"))
    }

    /// What shows that an administrator's token is accepted.
    private func onePerson(_ token: String) -> GatewayCall {
        GatewayCall(path: APIPaths.users(Self.tenant), query: [("limit", "1")], authorization: "Bearer \(token)")
    }

    /// Throws when the gateway neither accepts nor refuses.
    private func isAccepted(_ call: GatewayCall) async throws -> Bool {
        let reply = try await client.exchange(call)
        switch reply.status {
        case 200: return true
        case 400, 401, 403, 404: return false
        default: throw GatewayClient.failure(reply)
        }
    }

    private func make() async throws -> DemoFile {
        var progress = DemoProgress.read(file) ?? DemoProgress(key: password())
        try progress.write(file)
        let token = try await administratorToken(&progress)
        let application = try await application(&progress, token)
        for name in [Self.administrator] + Self.people { try await ensure(name, &progress, token) }
        func user(_ name: String) -> DemoFile.User { .init(username: name, password: progress.passwords[name] ?? "") }
        return DemoFile(
            base: client.base, tenant: Self.tenant.rawValue, client: application,
            admin: .init(token: token, username: Self.administrator, password: user(Self.administrator).password),
            users: Self.people.map(user))
    }

    private func administratorToken(_ progress: inout DemoProgress) async throws -> String {
        if let token = progress.adminToken, try await isAccepted(onePerson(token)) { return token }
        // What was kept belongs to a tenant that is gone.
        if progress.adminToken != nil { progress = DemoProgress(key: password()) }
        var call = try GatewayCall.post(APIPaths.tenants, TenantCreation(id: Self.tenant.rawValue, name: "Demo"))
        call.headers = [(APIHeaders.idempotencyKey, "demo-tenant-\(progress.key)")]
        try progress.write(file)
        let created: TenantCreated = try await client.call(call).decode()
        guard let token = created.adminToken else {
            throw AdminFailure(
                .refused, "the tenant demo exists, and its administrator's token, shown once, is not in \(file)")
        }
        progress.adminToken = token
        try progress.write(file)
        try await becomesKnown(token)
        return token
    }

    /// Returns when the gateway knows the tenant. What is changed rules in every process within a second; where there are several policies,
    /// a gateway may have asked one that hears of it later than the one that made it.
    private func becomesKnown(_ token: String) async throws {
        let end = ContinuousClock.now + .seconds(5)
        while try await !isAccepted(onePerson(token)), .now < end { try await Task.sleep(for: .milliseconds(50)) }
    }

    private func application(_ progress: inout DemoProgress, _ token: String) async throws -> DemoFile.Client {
        if let client = progress.client { return client }
        var call = try GatewayCall.post(
            APIPaths.clients(Self.tenant), ClientCreation(name: "Demo", anyApplication: true))
        call.headers = [(APIHeaders.idempotencyKey, "demo-client-\(progress.key)")]
        call.authorization = "Bearer \(token)"
        let created: ClientCreated = try await client.call(call).decode()
        let application = DemoFile.Client(id: created.id, secret: created.secret)
        progress.client = application
        try progress.write(file)
        return application
    }

    /// Makes the person with a password of our choice, or gives an existing one that password.
    private func ensure(_ name: String, _ progress: inout DemoProgress, _ token: String) async throws {
        let chosen = progress.passwords[name] ?? password()
        progress.passwords[name] = chosen
        try progress.write(file)
        let roles = name == Self.administrator ? ["administrator"] : []
        var call = try GatewayCall.post(
            APIPaths.users(Self.tenant),
            UserCreation(
                username: name, displayName: name == Self.administrator ? "Administrator" : name.capitalized,
                password: chosen, roles: roles))
        call.authorization = "Bearer \(token)"
        do {
            try await client.call(call)
        } catch let failure as AdminFailure where failure.code == "already_exists" {
            var search = GatewayCall.get(
                APIPaths.users(Self.tenant), [("search", name), ("limit", String(APILimits.pageMax))])
            search.authorization = call.authorization
            let page: Page<UserDocument> = try await client.call(search).decode()
            guard let user = page.items.first(where: { $0.username == name }) else { throw failure }
            var patch = try GatewayCall.patch(
                APIPaths.user(Self.tenant, PersonID(user.id)), UserPatch(password: chosen, roles: roles))
            patch.authorization = call.authorization
            try await client.call(patch)
        }
    }

    /// 100 random bits that a person can type: five groups of four letters and digits, without 0, 1, l and o.
    private func password() -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")
        let characters = randomBytes(20).map { alphabet[Int($0) % alphabet.count] }
        return stride(from: 0, to: 20, by: 4).map { String(characters[$0..<$0 + 4]) }.joined(separator: "-")
    }
}
