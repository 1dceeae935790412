import Domain
import Foundation
import Storage
import StorageConformance
import StorageSQLite
import StoreCopy
import TestSupport
import Testing

@testable import StoragePostgreSQL

@Suite("moving an installation from SQLite to PostgreSQL", .timeLimit(.minutes(1)))
struct StoreCopyTests {
    private let folder = NSTemporaryDirectory() + "copy-" + UUID().uuidString
    private let database: PostgreSQLConfiguration

    init() throws {
        let server = try PostgreSQLServer.shared()
        let name = "c" + UUID().uuidString.lowercased().replacing("-", with: "")
        try administer(server, "CREATE DATABASE \(name)")
        database = PostgreSQLConfiguration(
            url: server.url.replacing("/postgres", with: "/\(name)", maxReplacements: 1),
            passwordFile: server.passwordFile,
            schema: "public", applicationName: "countersign-test")
    }

    private func file(_ service: StoredService) -> String {
        "\(folder)/\(service.rawValue)/\(service.rawValue).sqlite"
    }

    /// Five files as the services leave them, with what `fill` writes into the first.
    private func install(_ fill: @escaping @Sendable (any PolicyRecords) throws -> Void = { _ in }) async throws {
        for service in StoredService.allCases {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(service.rawValue)", withIntermediateDirectories: true)
        }
        let policy = try SQLiteStore.policy(path: file(.policy))
        try await policy.write(fill)
        await policy.close()
        try await SQLiteStore.registration(path: file(.registration)).close()
        try await SQLiteStore.challenge(path: file(.challenge)).close()
        try await SQLiteStore.verifier(path: file(.verifier)).close()
        try await SQLiteStore.notifier(path: file(.notifier)).close()
    }

    private func opened() async throws -> PostgreSQLStore<any PolicyRecords> {
        var own = database
        own.schema = "policy"
        return try await PostgreSQLStore.policy(own)
    }

    @Test("every row arrives, and numbers go on where they were")
    func everything() async throws {
        try await install { records in
            for number in 1...600 { try records.insert(memo(UInt64(number))) }
            for number in 1...3 { try records.append(entry("\(number)")) }
        }
        let moved = try StoreCopy(from: folder, to: database).run()
        #expect(moved.first { $0.service == "policy" && $0.table == "memo" }?.rows == 600)
        #expect(moved.first { $0.service == "policy" && $0.table == "revision" }?.rows == 1)
        #expect(moved.allSatisfy { $0.rows == 0 || $0.digest.count == 64 })
        let store = try await opened()
        let last = try await store.write { records in
            try records.append(entry("4"))
            return try records.auditEntries(tenant: TenantID("t"), AuditFilter(), before: nil, limit: 10).map(
                \.sequence)
        }
        #expect(last == [4, 3, 2, 1])
        let kept = try await store.read { try $0.memo(RequestID(high: 1, low: 600)) }
        #expect(kept == memo(600))
        await store.close()
    }

    @Test(
        "a database that holds something, one that is in use, and a file that is in use or missing are refused, and nothing is there"
    )
    func refused() async throws {
        #expect(throws: StoreCopyError.missing(path: file(.policy))) { try StoreCopy(from: folder, to: database).run() }
        try await install { try $0.insert(memo(1)) }
        let owner = try SQLiteStore.verifier(path: file(.verifier))
        #expect(throws: StoreOpeningError.owned(path: file(.verifier))) {
            try StoreCopy(from: folder, to: database).run()
        }
        await owner.close()

        var service = database
        (service.schema, service.applicationName) = ("policy", "countersign-policy")
        let running = try await PostgreSQLStore.policy(service)
        try await running.check()
        #expect(throws: StoreCopyError.inUse(["countersign-policy"])) {
            try StoreCopy(from: folder, to: database).run()
        }
        try await running.write { try $0.insert(memo(2)) }
        await running.close()
        #expect(throws: StoreCopyError.notEmpty(table: "policy.memo")) {
            try StoreCopy(from: folder, to: database).run()
        }
        let store = try await opened()
        #expect(try await store.read { try $0.memo(RequestID(high: 1, low: 1)) } == nil)
        await store.close()
    }

    @Test(
        "a row that the database has changed or lost is missed when it is read back, and nothing is there",
        arguments: ["NEW.actor_name := 'somebody'; RETURN NEW;", "RETURN NULL;"])
    func altered(body: String) async throws {
        try await install { records in
            for target in ["first", "second", "third"] { try records.append(entry(target)) }
        }
        try await opened().close()
        var own = database
        own.schema = "policy"
        try Connection(own).script(
            """
            CREATE FUNCTION trial() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN \(body) END$$;
            CREATE TRIGGER trial BEFORE INSERT ON audit FOR EACH ROW WHEN (NEW.target = 'second') EXECUTE FUNCTION trial();
            """)
        #expect(throws: StoreCopyError.differs(table: "policy.audit", row: 2)) {
            try StoreCopy(from: folder, to: database).run()
        }
        #expect(try await rows() == 0)
    }

    private func rows() async throws -> Int {
        let store = try await opened()
        let entries = try await store.read {
            try $0.auditEntries(tenant: TenantID("t"), AuditFilter(), before: nil, limit: 10)
        }
        await store.close()
        return entries.count
    }

    @Test("a row that the database does not take ends the copy by its number, and leaves nothing")
    func unfit() async throws {
        try await install { records in
            for target in ["first", "second", "third"] { try records.append(entry(target)) }
        }
        try await opened().close()
        var own = database
        own.schema = "policy"
        try Connection(own).script("ALTER TABLE audit ADD CONSTRAINT trial CHECK (target <> 'second')")
        let failure = #expect(throws: StoreCopyError.self) { try StoreCopy(from: folder, to: database).run() }
        guard case .refused(table: "policy.audit", let row, .alreadyExists) = failure else {
            Issue.record("\(failure as Any)")
            return
        }
        #expect((2...3).contains(row))
        #expect(try await rows() == 0)
    }
}

private func entry(_ target: String) -> AuditRecord {
    AuditRecord(
        tenant: TenantID("t"), at: Timestamp(seconds: 1), actorKind: "operator", actorID: "", actorName: "",
        action: "tenant.create", target: target, requestID: "r")
}
