import Domain
import Foundation
import Storage
import TestSupport
import Testing

@testable import StoragePostgreSQL

@Suite struct PostgreSQLOpeningTests {
    let server: PostgreSQLServer

    init() throws { server = try PostgreSQLServer.shared() }

    private func refusal(
        _ configuration: PostgreSQLConfiguration, _ migrations: PostgreSQLMigrations = TrialRecords.migrations
    ) async throws -> StoreOpeningError? {
        do {
            await (try await trialStore(configuration, migrations: migrations)).close()
            return nil
        } catch let error as StoreOpeningError {
            return error
        }
    }

    @Test("a schema of a newer build is refused and left alone")
    func newerSchema() async throws {
        let configuration = trialConfiguration(server)
        let more = PostgreSQLMigrations([
            .memo, .audit, PostgreSQLMigration("trial-0002", Array("CREATE TABLE more (a BIGINT)".utf8)),
        ])
        #expect(try await refusal(configuration, more) == nil)
        guard case .newer(let path, found: 3, known: 2) = try await refusal(configuration) else {
            Issue.record("a newer schema was opened")
            return
        }
        #expect(path.contains(configuration.schema) && path.contains("127.0.0.1:\(server.port)"))
        #expect(try await refusal(configuration, more) == nil)
    }

    @Test(
        "a newer build brings an older schema up to date and keeps its data, while the older one goes on; a step that fails changes nothing"
    )
    func migration() async throws {
        let configuration = trialConfiguration(server)
        let old = try await trialStore(configuration, migrations: PostgreSQLMigrations([.memo]))
        try await old.write { try $0.insert(memo(1)) }
        let broken = PostgreSQLMigrations([
            .memo,
            PostgreSQLMigration(
                "broken-0001", Array("CREATE TABLE half (a BIGINT); CREATE TABLE memo (a BIGINT)".utf8)),
        ])
        #expect(try await refusal(configuration, broken) != nil)
        let store = try await trialStore(configuration)
        #expect(try await store.read { try $0.memo(memo(1).request) } == memo(1))
        try await store.check()
        try await old.check()
        try await old.write { try $0.insert(memo(2)) }
        await store.close()
        await old.close()
    }

    @Test("another service's schema is refused by name, and one with tables of others in words")
    func foreignSchema() async throws {
        let configuration = trialConfiguration(server)
        #expect(try await refusal(configuration, PostgreSQLMigrations([.audit])) == nil)
        let error = try #require(try await refusal(configuration))
        #expect(error.description.contains("it holds audit-0001 where memo-0001 belongs"))
        let taken = trialConfiguration(server)
        try administer(server, "CREATE SCHEMA \(taken.schema); CREATE TABLE \(taken.schema).memo (a BIGINT)")
        guard case .foreign = try await refusal(taken) else {
            Issue.record("tables of others were not noticed")
            return
        }
    }

    @Test(
        "a wrong password, an open password file and a server that is not there are refused in words, without the password"
    )
    func refusals() async throws {
        let folder = try TemporaryFolder()
        func write(_ password: String, mode: Int) throws -> String {
            let path = folder.file("password")
            try password.write(toFile: path, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return path
        }
        var configuration = trialConfiguration(server)
        configuration.passwordFile = try write("wrong-word\n", mode: 0o600)
        let wrong = try #require(try await refusal(configuration)).description
        #expect(wrong.contains("password authentication failed") && !wrong.contains("wrong-word"))
        configuration.passwordFile = try write("wrong-word", mode: 0o644)
        #expect(try await refusal(configuration)?.description.contains("0600") == true)
        // Mounted secrets are links, whose own mode says nothing.
        configuration.passwordFile = folder.file("link")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"), withDestinationPath: server.passwordFile)
        #expect(try await refusal(configuration) == nil)
        configuration.passwordFile = folder.file("none")
        #expect(try await refusal(configuration)?.description.contains("cannot be read") == true)
        configuration = trialConfiguration(server)
        configuration.url = "postgresql://countersign@127.0.0.1:1/postgres"
        #expect(try await refusal(configuration)?.description.contains("127.0.0.1:1") == true)
        configuration.url = server.url + "?nosuchword=1"
        #expect(try await refusal(configuration)?.description.contains("nosuchword") == true)
    }

    @Test("a role that may use the tables and make none can open what an operator has made")
    func lesserRole() async throws {
        var configuration = trialConfiguration(server)
        let (schema, role) = (configuration.schema, "role_\(configuration.schema)")
        #expect(try await refusal(configuration) == nil)
        let password = try String(contentsOfFile: server.passwordFile, encoding: .utf8)
        try administer(
            server,
            """
            CREATE ROLE \(role) LOGIN PASSWORD '\(password)'; GRANT USAGE ON SCHEMA \(schema) TO \(role);
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \(schema) TO \(role)
            """)
        configuration.url = server.url.replacing("countersign@", with: "\(role)@")
        let store = try await trialStore(configuration)
        try await store.write { records in
            try records.insert(memo(1))
            try records.append(
                AuditRecord(
                    tenant: TenantID("t"), at: Timestamp(seconds: 1), actorKind: "k", actorID: "i", actorName: "n",
                    action: "a", target: "t", requestID: "r"))
        }
        await store.close()
    }
}
