import Domain
import Foundation
import Storage
import TestSupport
import Testing

@testable import StorageSQLite

@Suite struct SQLiteOpeningTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("a second owner is refused until the first has closed")
    func oneOwner() async throws {
        let store = try trialStore(folder.path)
        #expect(throws: StoreOpeningError.owned(path: folder.file("trial.sqlite"))) { try trialStore(folder.path) }
        await store.close()
        await (try trialStore(folder.path)).close()
    }

    @Test("a database of a newer build is refused and left alone")
    func newerSchema() async throws {
        let more = SQLiteMigrations([
            .memo, .audit, trialStep, SQLiteMigration("trial-0002", Array("CREATE TABLE more (a)".utf8)),
        ])
        await (try trialStore(folder.path, migrations: more)).close()
        #expect(throws: StoreOpeningError.newer(path: folder.file("trial.sqlite"), found: 4, known: 3)) {
            try trialStore(folder.path)
        }
        await (try trialStore(folder.path, migrations: more)).close()
    }

    @Test("a newer build brings an older database up to date and keeps its data")
    func migration() async throws {
        let memo = Memo(
            request: RequestID(high: 1, low: 1), fingerprint: [1], reply: [2], replyUntil: Timestamp(seconds: 9),
            keptUntil: Timestamp(seconds: 9))
        let old = try trialStore(folder.path, migrations: SQLiteMigrations([.memo]))
        try await old.write { try $0.insert(memo) }
        await old.close()
        let store = try trialStore(folder.path)
        #expect(try await store.read { try $0.memo(memo.request) } == memo)
        try await store.check()
        await store.close()
    }

    @Test("a step that fails leaves the database at the step before")
    func failingStep() async throws {
        let broken = SQLiteMigrations([
            .memo, SQLiteMigration("broken-0001", Array("CREATE TABLE half (a); CREATE TABLE memo (a);".utf8)),
        ])
        #expect(throws: StoreOpeningError.self) { try trialStore(folder.path, migrations: broken) }
        let mended = SQLiteMigrations([.memo, SQLiteMigration("mended-0001", Array("CREATE TABLE half (a);".utf8))])
        await (try trialStore(folder.path, migrations: mended)).close()
    }

    @Test("another service's database is refused by name")
    func foreignSchema() async throws {
        await (try trialStore(folder.path, migrations: SQLiteMigrations([.audit]))).close()
        let expected = StoreOpeningError.foreign(
            path: folder.file("trial.sqlite"), detail: "it holds audit-0001 where memo-0001 belongs")
        #expect(throws: expected) { try trialStore(folder.path) }
    }

    @Test("a file that is no database, and a folder that is not there, are refused in words")
    func noDatabase() throws {
        try Data(repeating: 7, count: 8_192).write(to: URL(fileURLWithPath: folder.file("trial.sqlite")))
        do {
            _ = try trialStore(folder.path)
            Issue.record("a file of sevens was opened")
        } catch StoreOpeningError.foreign {}
        do {
            _ = try trialStore(folder.file("missing"))
            Issue.record("a store was opened nowhere")
        } catch StoreOpeningError.inaccessible {}
    }

    @Test("a failing store fails where it is told to")
    func failingStore() async throws {
        let store = try trialStore(folder.path)
        let failing = FailingStore<TrialRecords>(store)
        let memo = Memo(
            request: RequestID(high: 1, low: 1), fingerprint: [1], reply: [2], replyUntil: Timestamp(seconds: 9),
            keptUntil: Timestamp(seconds: 9))
        for fault in [FailingStore<TrialRecords>.Fault.beforeBody, .atCommit] {
            failing.fail(fault, writes: 1)
            await #expect(throws: StorageError.unavailable) { try await failing.write { try $0.insert(memo) } }
            #expect(try await failing.read { try $0.memo(memo.request) } == nil)
        }
        try await failing.write { try $0.insert(memo) }
        await store.close()
    }
}
