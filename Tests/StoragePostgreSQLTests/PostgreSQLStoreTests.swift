import Domain
import Foundation
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing

@testable import StoragePostgreSQL

@Suite struct PostgreSQLStoreTests {
    let server: PostgreSQLServer

    init() throws { server = try PostgreSQLServer.shared() }

    @Test("the store keeps what every store promises", arguments: StorePromise.allCases)
    func promise(_ promise: StorePromise) async throws {
        let configuration = trialConfiguration(server)
        let conformance = StoreConformance<TrialRecords>(
            memos: { $0 },
            open: { _ in
                let store = try await trialStore(configuration)
                return OpenStore(store, close: { await store.close() })
            })
        try await conformance.run(promise, folder: configuration.schema)
    }

    private func stores(_ count: Int) async throws -> [PostgreSQLStore<TrialRecords>] {
        var configuration = trialConfiguration(server)
        configuration.connections = 2
        return try await withThrowingTaskGroup(of: PostgreSQLStore<TrialRecords>.self) { group in
            // At once, so that they also race to make the schema.
            for _ in 0..<count { group.addTask { [configuration] in try await trialStore(configuration) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("of eight processes that write one memo at once, one wins and the others hear that it exists")
    func memoRace() async throws {
        let stores = try await stores(8)
        for round in 0..<UInt64(10) {
            let winners = try await withThrowingTaskGroup(of: Int.self) { group in
                for store in stores {
                    group.addTask {
                        do {
                            try await store.write { try $0.insert(memo(round)) }
                            return 1
                        } catch StorageError.alreadyExists {
                            return 0
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(winners == 1)
        }
        for store in stores { await store.close() }
    }

    @Test("eight processes that each count up lose no count: what was read still holds when it is written")
    func readThenWrite() async throws {
        let stores = try await stores(8)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in stores {
                for _ in 0..<5 {
                    group.addTask {
                        try await store.write { records in
                            var next: UInt64 = 0
                            while try records.memo(memo(next).request) != nil { next += 1 }
                            try records.insert(memo(next))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let (last, beyond) = try await stores[0].read { records in
            (try records.memo(memo(39).request), try records.memo(memo(40).request))
        }
        #expect(last != nil && beyond == nil)
        for store in stores { await store.close() }
    }

    @Test("a write beyond the queue's limit is refused at once, and closing waits for what was accepted")
    func boundedQueue() async throws {
        var configuration = trialConfiguration(server)
        configuration.connections = 1
        configuration.queuedBodiesMax = 1
        let store = try await trialStore(configuration)
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let running = Task {
            try await store.write { records in
                begin.finish()
                gate.wait()
                try records.insert(memo(1))
            }
        }
        for await _ in begun {}
        let waiting = Task { try await store.write { try $0.insert(memo(2)) } }
        while store.waiting < 1 { await Task.yield() }
        await #expect(throws: StorageError.unavailable) { try await store.write { try $0.insert(memo(3)) } }
        let closing = Task { await store.close() }
        gate.signal()
        await closing.value
        try await running.value
        try await waiting.value
        let again = try await trialStore(configuration)
        #expect(try await again.read { try $0.memo(memo(2).request) } != nil)
        await again.close()
    }

    @Test("what has no result travels with the commit, and fails it when it is wrong")
    func addedStatements() async throws {
        let store = try await trialStore(trialConfiguration(server))
        try await store.write { records in
            try records.add(
                "INSERT INTO memo VALUES (?, ?, ?, ?, ?)", [[UInt8](repeating: 1, count: 16), [7], [], 1, 1])
        }
        await #expect(throws: StorageError.alreadyExists) {
            try await store.write { records in
                let again: [(any ColumnValue)?] = [[UInt8](repeating: 1, count: 16), [7] as [UInt8], nil, 1, 1]
                try records.insert(memo(5))
                try records.add("INSERT INTO memo VALUES (?, ?, ?, ?, ?)", again)
            }
        }
        #expect(try await store.read { try $0.memo(memo(5).request) } == nil)
        try await store.write { try $0.insert(memo(5)) }
        await store.close()
    }

    @Test("every commit is reported, and a connection names its service")
    func reports() async throws {
        let reports = Mutex<[CommitReport]>([])
        let store = try await trialStore(
            trialConfiguration(server),
            surroundings: Session.Surroundings(onCommit: { report in reports.withLock { $0.append(report) } }))
        try await store.write { try $0.insert(memo(1)) }
        let name: String? = try await store.read { records in
            try records.row("SELECT current_setting('application_name') AS name", [])?["name"]
        }
        #expect(name == "countersign-test")
        let seen = reports.withLock(\.self)
        #expect(seen.map(\.writes) == [1] && seen.allSatisfy { $0.isCommitted && $0.duration > .zero })
        await store.close()
    }

    @Test("values come back as they were sent, whatever they hold")
    func values() async throws {
        let store = try await trialStore(trialConfiguration(server))
        let texts = ["", "'\"\\{},", "NULL", "δ 👋\n"]
        try await store.read { records in
            let row = try #require(
                try records.row(
                    """
                    SELECT CAST(? AS BIGINT) AS least, CAST(? AS BOOLEAN) AS flag, CAST(? AS BYTEA) AS bytes,
                        CAST(? AS TEXT) AS nothing, CAST(? AS BYTEA) AS no_bytes
                    """,
                    [Int64.min, true, [UInt8](0...255), nil, [UInt8]()]))
            #expect(try row["least"] == Int64.min && row["flag"] == true && row["bytes"] == [UInt8](0...255))
            #expect(try row.optional("nothing") as String? == nil && row["no_bytes"] == [UInt8]())
            let list = try records.rows("SELECT unnest(CAST(? AS TEXT[])) AS text", [TextArray(texts)])
            #expect(try list.map { try $0["text"] as String } == texts)
        }
        await #expect(throws: StorageError.corrupt) {
            try await store.read { try $0.row("SELECT CAST(? AS TEXT) AS text", ["a\0b"]) != nil }
        }
        await store.close()
    }
}
