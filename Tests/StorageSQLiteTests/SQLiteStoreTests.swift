import Domain
import Foundation
import GRDB
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing

@testable import StorageSQLite

/// Records of a store that keeps memos and, for what a memo cannot show, one table with a constraint that is checked at commit.
struct TrialRecords: SQLiteMemoRecords, SQLiteAuditRecords {
    static let migrations = SQLiteMigrations([.memo, .audit, trialStep])

    let database: Database

    init(_ database: Database) { self.database = database }

    func insertChild(of parent: Int) throws {
        try database.execute(sql: "INSERT INTO child (parent) VALUES (?)", arguments: [parent])
    }

    func insertFiller(bytes: Int) throws {
        try database.execute(sql: "INSERT INTO filler (content) VALUES (zeroblob(?))", arguments: [bytes])
    }

    func limitPages(_ pages: Int) throws { try database.execute(sql: "PRAGMA max_page_count = \(pages)") }
}

let trialStep = SQLiteMigration(
    "trial-0001",
    Array(
        """
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (parent INTEGER NOT NULL REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE filler (content BLOB NOT NULL);
        """.utf8))

func trialStore(
    _ folder: String, migrations: SQLiteMigrations = TrialRecords.migrations, limits: SQLiteLimits = SQLiteLimits(),
    onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
) throws -> SQLiteStore<TrialRecords> {
    try SQLiteStore(path: folder + "/trial.sqlite", migrations: migrations, limits: limits, onCommit: onCommit) {
        TrialRecords($0)
    }
}

private final class CommitReports: Sendable {
    private let reports = Mutex<[CommitReport]>([])
    var all: [CommitReport] { reports.withLock(\.self) }
    func add(_ report: CommitReport) { reports.withLock { $0.append(report) } }
}

private func memo(_ number: UInt64) -> Memo {
    Memo(
        request: RequestID(high: 1, low: number), fingerprint: [1], reply: [2], replyUntil: Timestamp(seconds: 9),
        keptUntil: Timestamp(seconds: 9))
}

@Suite struct SQLiteStoreTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("the store keeps what every store promises", arguments: StorePromise.allCases)
    func promise(_ promise: StorePromise) async throws {
        let conformance = StoreConformance<TrialRecords>(
            memos: { $0 },
            open: { folder in
                let store = try trialStore(folder)
                return OpenStore(store, close: { await store.close() })
            })
        try await conformance.run(promise, folder: folder.path)
    }

    @Test("writes that come while one commits share the next commit, and an idle store waits for nobody")
    func groupCommit() async throws {
        let reports = CommitReports()
        let store = try trialStore(folder.path) { reports.add($0) }
        let gate = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (begun, begin) = AsyncStream<Void>.makeStream()
            group.addTask {
                try await store.write { records in
                    begin.finish()
                    gate.wait()
                    try records.insert(memo(0))
                }
            }
            for await _ in begun {}
            for number in 1...UInt64(999) {
                group.addTask { try await store.write { try $0.insert(memo(number)) } }
            }
            // Opened once all others stand in the queue.
            group.addTask {
                while store.waiting < 999 { await Task.yield() }
                gate.signal()
            }
            try await group.waitForAll()
        }
        let seen = reports.all
        #expect(seen.map(\.writes) == [1, 999])
        #expect(seen.allSatisfy { $0.isCommitted })
        await store.close()
    }

    @Test("a commit that fails fails every write of its batch, and nothing of it is kept")
    func failingCommit() async throws {
        let reports = CommitReports()
        let store = try trialStore(folder.path) { reports.add($0) }
        let gate = DispatchSemaphore(value: 0)
        let outcomes = await withTaskGroup(of: StorageError?.self) { group in
            let (begun, begin) = AsyncStream<Void>.makeStream()
            group.addTask {
                _ = try? await store.write { _ in
                    begin.finish()
                    gate.wait()
                }
                return nil
            }
            for await _ in begun {}
            for number in 1...UInt64(10) {
                group.addTask {
                    do {
                        try await store.write { records in
                            if number == 5 { try records.insertChild(of: 404) }
                            try records.insert(memo(number))
                        }
                        return nil
                    } catch {
                        return error as? StorageError
                    }
                }
            }
            group.addTask {
                while store.waiting < 10 { await Task.yield() }
                gate.signal()
                return nil
            }
            return await group.reduce(into: [StorageError]()) { if let error = $1 { $0.append(error) } }
        }
        #expect(outcomes == [StorageError](repeating: .unavailable, count: 10))
        let seen = reports.all
        #expect(seen.map(\.isCommitted) == [true, false])
        #expect(try await store.read { try $0.memo(memo(1).request) } == nil)
        try await store.write { try $0.insert(memo(1)) }
        await store.close()
    }

    @Test("a full disk refuses the write and keeps what was committed")
    func fullDisk() async throws {
        let store = try trialStore(folder.path)
        try await store.write { try $0.insert(memo(1)) }
        try await store.write { try $0.limitPages(40) }
        await #expect(throws: StorageError.unavailable) {
            try await store.write { try $0.insertFiller(bytes: 1_000_000) }
        }
        try await store.write { try $0.limitPages(100_000) }
        try await store.write { try $0.insert(memo(2)) }
        #expect(try await store.read { try $0.memo(memo(1).request) } == memo(1))
        #expect(try await store.read { try $0.memo(memo(2).request) } == memo(2))
        await store.close()
    }

    @Test("rows are found by their keys while a commit and as many readings as there may be are under way")
    func lookUp() async throws {
        let store = try trialStore(folder.path)
        try await store.write { try $0.insert(memo(1)) }
        let gate = DispatchSemaphore(value: 0)
        let readings = SQLiteLimits().readersMax
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (begun, begin) = AsyncStream<Void>.makeStream()
            group.addTask {
                try await store.write { records in
                    try records.insert(memo(2))
                    begin.yield()
                    gate.wait()
                }
            }
            for _ in 0..<readings {
                group.addTask {
                    try await store.read { _ in
                        begin.yield()
                        gate.wait()
                    }
                }
            }
            var underWay = begun.makeAsyncIterator()
            for _ in 0...readings { await underWay.next() }
            do {
                defer { for _ in 0...readings { gate.signal() } }
                #expect(try await store.lookUp { try $0.memo(memo(1).request) } == memo(1))
                #expect(try await store.lookUp { try $0.memo(memo(2).request) } == nil, "it is not committed yet")
            }
            try await group.waitForAll()
        }
        #expect(try await store.lookUp { try $0.memo(memo(2).request) } == memo(2))
        await store.close()
        await #expect(throws: StorageError.self) { try await store.lookUp { try $0.memo(memo(1).request) } }
    }

    @Test("a write beyond the queue's limit is refused at once")
    func boundedQueue() async throws {
        var limits = SQLiteLimits()
        limits.queuedWritesMax = 0
        let store = try trialStore(folder.path, limits: limits)
        await #expect(throws: StorageError.unavailable) { try await store.write { try $0.insert(memo(1)) } }
        await store.close()
    }

    @Test("a constraint is `alreadyExists`, and hurts only its own write")
    func constraint() async throws {
        let store = try trialStore(folder.path)
        await #expect(throws: StorageError.alreadyExists) {
            try await store.write { try $0.database.execute(sql: "INSERT INTO parent (id) VALUES (1), (1)") }
        }
        try await store.write { try $0.insert(memo(1)) }
        await store.close()
    }

    @Test("every commit is on disk before it is reported: synchronous is FULL and the journal is WAL")
    func durability() async throws {
        let store = try trialStore(folder.path)
        let (synchronous, journal) = try await store.write { records in
            (
                try Int.fetchOne(records.database, sql: "PRAGMA synchronous"),
                try String.fetchOne(records.database, sql: "PRAGMA journal_mode")
            )
        }
        #expect(synchronous == 2)
        #expect(journal == "wal")
        await store.close()
    }

    @Test("what undoes a write of a batch stays in memory")
    func undoing() async throws {
        let store = try trialStore(folder.path)
        let temporary = try await store.write { try Int.fetchOne($0.database, sql: "PRAGMA temp_store") }
        #expect(temporary == 2)
        await store.close()
    }

    @Test("columns are found by their names in any case, and not where there is none of that name")
    func columnNames() async throws {
        let store = try trialStore(folder.path)
        let found = try await store.read { records in
            try records.record("SELECT 1 AS one, 2 AS Two", []) {
                ($0["one"] as Int, $0["two"] as Int, $0.hasColumn("three"))
            }
        }
        #expect(found ?? (0, 0, true) == (1, 2, false))
        await store.close()
    }

    @Test("a statement of which one row was read, or whose reading threw, is free for the next time and for the commit")
    func unfinished() async throws {
        let store = try trialStore(folder.path)
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n"
        let found = try await store.write { records in
            let first = try records.record(numbers, []) { $0["i"] as Int }
            #expect(throws: StorageError.corrupt) {
                try records.records(numbers, []) { row in
                    guard row["i"] as Int != 2 else { throw StorageError.corrupt }
                }
            }
            return (first, try records.records(numbers, []) { $0["i"] as Int })
        }
        #expect(found.0 == 1)
        #expect(found.1 == [1, 2, 3])
        await store.close()
    }

    @Test("audit entries are read newest first, page by page, a tenant alone")
    func audit() async throws {
        let store = try trialStore(folder.path)
        try await store.write { records in
            for number in 1...5 {
                for tenant in ["a", "b"] {
                    try records.append(
                        AuditRecord(
                            tenant: TenantID(tenant), at: Timestamp(seconds: Int64(number)), actorKind: "person",
                            actorID: "1",
                            actorName: "root", action: "change\(number)", target: "t", requestID: "r"))
                }
            }
        }
        let first = try await store.read {
            try $0.auditEntries(tenant: TenantID("a"), AuditFilter(), before: nil, limit: 2)
        }
        #expect(first.map(\.action) == ["change5", "change4"])
        let rest = try await store.read {
            try $0.auditEntries(tenant: TenantID("a"), AuditFilter(), before: first.last?.sequence, limit: 9)
        }
        #expect(rest.map(\.action) == ["change3", "change2", "change1"])
        await store.close()
    }
}
