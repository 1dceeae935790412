import Domain
import Foundation
import Storage
import Synchronization
import TestSupport
import Testing

@testable import StoragePostgreSQL

/// Those that stop a server or change its settings have one of their own.
@Suite(.serialized) struct PostgreSQLFailureTests {
    private func store(
        on server: PostgreSQLServer, _ change: (inout PostgreSQLConfiguration) -> Void = { _ in }
    ) async throws -> PostgreSQLStore<TrialRecords> {
        var configuration = trialConfiguration(server)
        change(&configuration)
        return try await trialStore(configuration)
    }

    /// Ends a connection of the store, and returns when it has ended.
    private func cut(_ backend: Int64, _ server: PostgreSQLServer) throws {
        try administer(server, "SELECT pg_terminate_backend(\(backend), 10000)")
    }

    @Test("while the server is stopped a write is refused; once it is back, the same store goes on")
    func restart() async throws {
        let server = try PostgreSQLServer()
        let store = try await store(on: server) { $0.rerunsMax = 2 }
        try await store.write { try $0.insert(memo(1)) }
        try server.stop()
        await #expect(throws: StorageError.unavailable) { try await store.write { try $0.insert(memo(2)) } }
        await #expect(throws: StorageError.unavailable) { try await store.check() }
        try server.start()
        try await store.write { try $0.insert(memo(2)) }
        #expect(try await store.read { try $0.memo(memo(1).request) } != nil)
        await store.close()
    }

    @Test("a write that begins while the server restarts is done when it is back")
    func survivedRestart() async throws {
        let server = try PostgreSQLServer()
        let store = try await store(on: server) { ($0.rerunsMax, $0.rerunTimeMax) = (.max, .seconds(120)) }
        try await store.write { try $0.insert(memo(1)) }
        try server.stop()
        let writing = Task { try await store.write { try $0.insert(memo(2)) } }
        try server.start()
        try await writing.value
        #expect(try await store.read { try $0.memo(memo(2).request) } != nil)
        await store.close()
    }

    @Test("a connection that is cut in the middle of a body: the body runs again, and its effect is there once")
    func cutBody() async throws {
        let server = try PostgreSQLServer.shared()
        let store = try await store(on: server)
        let runs = Mutex(0)
        try await store.write { [self] records in
            let run = runs.withLock { runs in
                runs += 1
                return runs
            }
            try records.insert(memo(1))
            if run == 1 { try cut(records.backend(), server) }
            try records.insert(memo(2))
        }
        #expect(runs.withLock(\.self) == 2)
        let found = try await store.read { records in
            [try records.memo(memo(1).request), try records.memo(memo(2).request)]
        }
        #expect(found == [memo(1), memo(2)])
        await store.close()
    }

    @Test("after a reading the next one sees what came between, and a connection that was cut is replaced")
    func afterReading() async throws {
        let server = try PostgreSQLServer.shared()
        var configuration = trialConfiguration(server)
        configuration.connections = 1
        let (store, other) = (try await trialStore(configuration), try await trialStore(configuration))
        for number in UInt64(0)..<20 {
            #expect(try await store.read { try $0.memo(memo(number).request) } == nil)
            try await other.write { try $0.insert(memo(number)) }
            #expect(try await store.read { try $0.memo(memo(number).request) } == memo(number))
        }
        for number in UInt64(20)..<24 {
            let backend = try await store.read { try $0.backend() }
            try cut(backend, server)
            try await store.write { try $0.insert(memo(number)) }
            #expect(try await other.read { try $0.memo(memo(number).request) } == memo(number))
        }
        await other.close()
        await store.close()
    }

    @Test("a connection that is cut when the commit is sent: the outcome is unknown, and a repeat finds out")
    func cutBeforeCommit() async throws {
        let server = try PostgreSQLServer.shared()
        let store = try await store(on: server)
        let body: @Sendable (TrialRecords) throws -> Void = { [self] records in
            try records.insert(memo(1))
            try cut(records.backend(), server)
        }
        await #expect(throws: StorageError.unknown) { try await store.write(body) }
        #expect(try await store.read { try $0.memo(memo(1).request) } == nil)
        try await store.write { try $0.insert(memo(1)) }
        await store.close()
    }

    @Test("a commit that happened and was never confirmed is unknown too, and a repeat finds it")
    func cutAfterCommit() async throws {
        let server = try PostgreSQLServer()
        let store = try await store(on: server) { $0.statementTimeout = .seconds(300) }
        try await store.write { try $0.insert(memo(1)) }
        // From now on a commit is on this disk at once, and waits for another that never comes.
        try administer(server, "ALTER SYSTEM SET synchronous_standby_names TO 'absent'")
        try administer(server, "SELECT pg_reload_conf()")
        let writing = Task { try await store.write { try $0.insert(memo(2)) } }
        while try !isSomebodyWaitingForReplication(on: server) { await Task.yield() }
        try administer(
            server, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        await #expect(throws: StorageError.unknown) { try await writing.value }
        try administer(server, "ALTER SYSTEM RESET synchronous_standby_names")
        try administer(server, "SELECT pg_reload_conf()")
        await #expect(throws: StorageError.alreadyExists) { try await store.write { try $0.insert(memo(2)) } }
        await store.close()
    }

    private func isSomebodyWaitingForReplication(on server: PostgreSQLServer) throws -> Bool {
        try Connection(trialConfiguration(server, schema: "public"))
            .script("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'").isEmpty == false
    }

    @Test("a server that may not write refuses writes until it may again")
    func readOnly() async throws {
        let server = try PostgreSQLServer()
        let store = try await store(on: server) { $0.rerunsMax = 3 }
        try await store.write { try $0.insert(memo(1)) }
        func setReadOnly(_ value: String) throws {
            var console = trialConfiguration(server, schema: "public")
            console.url += "?target_session_attrs=any"
            try Connection(console).script("ALTER SYSTEM SET default_transaction_read_only TO \(value)")
            try Connection(console).script("SELECT pg_reload_conf()")
        }
        try setReadOnly("on")
        await #expect(throws: StorageError.unavailable) {
            // The server takes the new value a moment later.
            for number in UInt64(2)... { try await store.write { try $0.insert(memo(number)) } }
        }
        try setReadOnly("off")
        var isWritten = false
        while !isWritten { isWritten = (try? await store.write { try $0.insert(memo(0)) }) != nil }
        await store.close()
    }

    @Test("a lock that is not given up in time is unavailable, and nothing is applied")
    func lockTimeout() async throws {
        let server = try PostgreSQLServer.shared()
        let store = try await store(on: server) { $0.lockTimeout = .milliseconds(100) }
        try await store.write { try $0.insert(memo(1)) }
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let holding = Task {
            try await store.write { records in
                _ = try records.change("UPDATE memo SET kept_until = 1", [])
                begin.finish()
                gate.wait()
            }
        }
        for await _ in begun {}
        await #expect(throws: StorageError.unavailable) {
            try await store.write { _ = try $0.change("UPDATE memo SET kept_until = 2", []) }
        }
        gate.signal()
        try await holding.value
        await store.close()
    }
}
