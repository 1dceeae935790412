import Domain
import Foundation
import Storage
import Synchronization
import TestSupport
import Testing

@testable import StoragePostgreSQL

/// What a store tells of transactions that the server ended.
@Suite struct PostgreSQLFailedRunTests {
    private let server: PostgreSQLServer
    private let told = Told()

    init() throws { server = try PostgreSQLServer.shared() }

    private final class Told: Sendable {
        let runs = Mutex<[FailedRun]>([])
    }

    private var runs: [FailedRun] { told.runs.withLock(\.self) }

    private func store(
        _ change: (inout PostgreSQLConfiguration) -> Void = { _ in }
    ) async throws -> (PostgreSQLStore<TrialRecords>, schema: String) {
        var configuration = trialConfiguration(server)
        change(&configuration)
        let surroundings = Session.Surroundings(onFailedRun: { [told] run in told.runs.withLock { $0.append(run) } })
        return (try await trialStore(configuration, surroundings: surroundings), configuration.schema)
    }

    /// A body that somebody else overtakes in each run for which `isOvertaken` says so.
    private func body(
        _ schema: String, overtaking isOvertaken: @escaping @Sendable (_ run: Int) -> Bool
    ) -> @Sendable (TrialRecords) throws -> Void {
        let count = Count()
        return { [server] records in
            _ = try records.memo(memo(1).request)
            if isOvertaken(count.next()) {
                try administer(server, "UPDATE \(schema).memo SET kept_until = kept_until + 1")
            }
            _ = try records.change(
                "UPDATE memo\n    SET reply = ? WHERE request = ?", [[77] as [UInt8], memo(1).request.bytes])
        }
    }

    /// From 1.
    private final class Count: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    @Test("a transaction that was overtaken is told with its SQLSTATE, statement and request, and no value")
    func overtaken() async throws {
        let (store, schema) = try await store()
        try await store.write { try $0.insert(memo(1)) }
        let origin = TransactionOrigin(method: "Settle", requestID: RequestID(high: 3, low: 4))
        try await TransactionOrigin.$current.withValue(origin) {
            try await store.write(body(schema) { $0 <= 2 })
        }
        let overtaken = FailedRun(
            cause: .serialization, consequence: .rerun, sqlState: "40001",
            statement: "UPDATE memo SET reply = ? WHERE request = ?",
            firstStatement: "SELECT fingerprint, reply, reply_until, kept_until FROM memo WHERE request = ?", runs: 1,
            origin: origin)
        var again = overtaken
        again.runs = 2
        #expect(runs == [overtaken, again])
        await store.close()
    }

    @Test("reruns that are exhausted are told as such, once")
    func exhausted() async throws {
        let (store, schema) = try await store { $0.rerunsMax = 2 }
        try await store.write { try $0.insert(memo(1)) }
        await #expect(throws: StorageError.unavailable) { try await store.write(body(schema) { _ in true }) }
        #expect(runs.map(\.consequence) == [.rerun, .rerun, .exhausted] && runs.map(\.runs) == [1, 2, 3])
        #expect(runs.allSatisfy { $0.cause == .serialization && $0.origin == nil })
        await store.close()
    }

    @Test("of two that read what the other writes, the one that fails at its commit is known by its first statement")
    func overtakenAtCommit() async throws {
        let (store, schema) = try await store()
        let configuration = trialConfiguration(server, schema: schema)
        let count = Count()
        let all = "SELECT count(*) AS count FROM memo"
        try await store.write { records in
            let other = count.next() == 1 ? TrialRecords(connection: try Connection(configuration)) : nil
            _ = try records.row(all, [])
            if let other {
                other.connection.begin(.write)
                _ = try other.row(all, [])
                try other.insert(memo(2))
            }
            try records.insert(memo(3))
            try other?.connection.commit()
        }
        #expect(runs.map(\.sqlState) == ["40001"] && runs.map(\.statement) == ["COMMIT"])
        #expect(runs.map(\.firstStatement) == [all])
        await store.close()
    }

    @Test("what the server refuses is told with its reason: a statement that takes too long, a row that is there")
    func refused() async throws {
        let (store, _) = try await store { $0.statementTimeout = .milliseconds(500) }
        await #expect(throws: StorageError.unavailable) {
            try await store.read { _ = try $0.row("SELECT CAST(pg_sleep(60) AS TEXT) AS slept", []) }
        }
        try await store.write { try $0.insert(memo(1)) }
        await #expect(throws: StorageError.alreadyExists) {
            try await store.write {
                try $0.add(
                    "INSERT INTO memo VALUES (?, ?, ?, ?, ?)", [memo(1).request.bytes, [7] as [UInt8], nil, 1, 1])
            }
        }
        #expect(runs.map(\.sqlState) == ["57014", "23505"] && runs.map(\.cause) == [.timeout, .constraint])
        #expect(runs.map(\.statement).last == "INSERT INTO memo VALUES (?, ?, ?, ?, ?)")
        #expect(runs.allSatisfy { $0.consequence == .refused && $0.runs == 1 })
        await store.close()
    }

    @Test("a connection that is cut is told as one: run again before the commit, refused where nobody can know")
    func cut() async throws {
        let (store, _) = try await store()
        let count = Count()
        let cut: @Sendable (TrialRecords) throws -> Void = { [server] records in
            try administer(server, "SELECT pg_terminate_backend(\(try records.backend()), 10000)")
        }
        try await store.write { records in
            if count.next() == 1 { try cut(records) }
            try records.insert(memo(1))
        }
        await #expect(throws: StorageError.unknown) { try await store.write(cut) }
        #expect(runs.map(\.cause) == [.connection, .connection] && runs.map(\.consequence) == [.rerun, .refused])
        #expect(runs.map(\.statement).last == "COMMIT")
        await store.close()
    }

    @Test("a body that stands still for too long loses its connection, and is run again on another")
    func idle() async throws {
        let (store, _) = try await store { $0.idleTransactionTimeout = .milliseconds(100) }
        let count = Count()
        try await store.write { [server] records in
            let (backend, over) = (try records.backend(), ContinuousClock.now + .seconds(20))
            let standsStill = count.next() == 1
            while standsStill, try isThere(backend, server), ContinuousClock.now < over {}
            try records.insert(memo(1))
        }
        #expect(runs.map(\.consequence) == [.rerun])
        await store.close()
    }

    private func isThere(_ backend: Int64, _ server: PostgreSQLServer) throws -> Bool {
        let console = try Connection(trialConfiguration(server, schema: "public"))
        return try !console.script("SELECT 1 FROM pg_stat_activity WHERE pid = \(backend)").isEmpty
    }

    @Test("a server that is away is told in words")
    func away() async throws {
        let server = try PostgreSQLServer()
        var configuration = trialConfiguration(server)
        configuration.rerunsMax = 1
        let surroundings = Session.Surroundings(onFailedRun: { [told] run in told.runs.withLock { $0.append(run) } })
        let store = try await trialStore(configuration, surroundings: surroundings)
        try server.stop()
        await #expect(throws: StorageError.unavailable) { try await store.check() }
        let last = try #require(runs.last)
        #expect(last.cause == .connection && last.consequence == .exhausted && last.runs == 2)
        #expect(last.detail?.contains("cannot be opened") == true)
        await store.close()
    }

    @Test("each SQLSTATE that matters has its cause")
    func causes() {
        let causes: [(String?, FailedRun.Cause)] = [
            ("40001", .serialization), ("40P01", .deadlock), ("57014", .timeout), ("55P03", .timeout),
            ("25P03", .timeout), ("25006", .readOnly), (nil, .connection), ("08006", .connection),
            ("57P01", .connection), ("23505", .constraint), ("53300", .resources), ("53100", .resources),
            ("XX000", .other), ("42P01", .other),
        ]
        for (state, cause) in causes { #expect(FailedRun.Cause(sqlState: state) == cause, "\(state ?? "none")") }
    }
}
