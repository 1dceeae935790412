import Failpoints
import GRDB
import Glibc
import Storage
import Synchronization

/// Writes that come while a commit is under way share the next one: one transaction, one fsync, and a savepoint each.
///
/// The first write of an idle store starts at once: there is no timer. While a batch commits, later writes gather in an array; when
/// it is done, the array is taken as a whole. A body that throws is rolled back to its savepoint and hurts nobody else; a commit
/// that fails fails every write of its batch, and nobody hears of success before the commit is on disk.
final class GroupCommit: Sendable {
    /// Tells the caller of one write how it ended: nil when the batch was committed.
    typealias Settle = @Sendable (StorageError?) -> Void

    private struct QueuedWrite: Sendable {
        let deadline: ContinuousClock.Instant?
        /// Runs the body; what it returns settles the write once the batch has ended. Throws what the body throws.
        let run: @Sendable (Database) throws -> Settle
        let fail: @Sendable (any Error) -> Void

        var isLate: Bool { deadline.map { $0 <= .now } ?? false }
    }

    private struct Ran {
        let write: QueuedWrite
        let settle: Settle
    }

    private struct State {
        var queue: [QueuedWrite] = []
        var isRunning = false
        var isClosed = false
        var closing: [CheckedContinuation<Void, Never>] = []
    }

    private let pool: DatabasePool
    private let limits: SQLiteLimits
    private let onCommit: @Sendable (CommitReport) -> Void
    private let state = Mutex(State())

    init(pool: DatabasePool, limits: SQLiteLimits, onCommit: @escaping @Sendable (CommitReport) -> Void) {
        self.pool = pool
        self.limits = limits
        self.onCommit = onCommit
    }

    func perform<Result: Sendable>(
        until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { (reply: CheckedContinuation<Result, any Error>) in
            enqueue(
                QueuedWrite(
                    deadline: deadline,
                    run: { database in
                        let result = try body(database)
                        return { failure in
                            if let failure { reply.resume(throwing: failure) } else { reply.resume(returning: result) }
                        }
                    },
                    fail: { reply.resume(throwing: $0) }))
        }
    }

    /// Writes that wait for the next commit.
    var queued: Int { state.withLock(\.queue.count) }

    /// Refuses new writes and returns when those that were accepted have ended.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.isRunning { state.closing.append(continuation) }
                return !state.isRunning
            }
            if isIdle { continuation.resume() }
        }
    }

    private func enqueue(_ write: QueuedWrite) {
        enum Admission { case refused, queued, first }
        let admission: Admission = state.withLock { state in
            guard !state.isClosed, state.queue.count < limits.queuedWritesMax else { return .refused }
            state.queue.append(write)
            if state.isRunning { return .queued }
            state.isRunning = true
            return .first
        }
        switch admission {
        case .refused: write.fail(StorageError.unavailable)
        case .queued: break
        case .first: pool.asyncWriteWithoutTransaction { self.drain($0) }
        }
    }

    /// Commits batch after batch until nobody waits. Runs on the writer's own thread.
    private func drain(_ database: Database) {
        while var batch = nextBatch() {
            while !batch.isEmpty { batch = commit(batch, database) }
        }
    }

    private func nextBatch() -> [QueuedWrite]? {
        let (batch, closing) = state.withLock { state -> ([QueuedWrite]?, [CheckedContinuation<Void, Never>]) in
            guard !state.queue.isEmpty else {
                state.isRunning = false
                defer { state.closing = [] }
                return (nil, state.closing)
            }
            if state.queue.count <= limits.batchWritesMax {
                var batch: [QueuedWrite] = []
                swap(&batch, &state.queue)
                return (batch, [])
            }
            let batch = Array(state.queue.prefix(limits.batchWritesMax))
            state.queue.removeFirst(limits.batchWritesMax)
            return (batch, [])
        }
        for continuation in closing { continuation.resume() }
        return batch
    }

    /// Returns what is to be run again: where a write is late, nothing that shares its transaction is committed.
    private func commit(_ batch: [QueuedWrite], _ database: Database) -> [QueuedWrite] {
        let start = ContinuousClock.now
        var ran: [Ran] = []
        ran.reserveCapacity(batch.count)
        var failure: StorageError?
        var started = 0
        do {
            try database.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
            for write in batch {
                started += 1
                try run(write, database, &ran)
            }
            if ran.contains(where: \.write.isLate) {
                try database.rollback()
                let batch = inTime(ran)
                onCommit(CommitReport(writes: ran.count - batch.count, duration: .now - start, isCommitted: false))
                return batch
            }
            if Mutation.replyBeforeCommit.isMade { tellTooEarly(&ran) }
            try database.cachedStatement(sql: "COMMIT").execute()
        } catch {
            // Whatever the system's reason, nothing of the batch was applied and the same calls may go through later.
            let isCorrupt = (error as? DatabaseError).map { StorageError($0) == .corrupt } ?? false
            failure = isCorrupt ? .corrupt : .unavailable
            if database.isInsideTransaction { try? database.rollback() }
        }
        onCommit(CommitReport(writes: batch.count, duration: .now - start, isCommitted: failure == nil))
        for one in ran { one.settle(failure) }
        for write in batch[started...] { write.fail(failure ?? .unavailable) }
        return []
    }

    private func inTime(_ ran: [Ran]) -> [QueuedWrite] {
        var batch: [QueuedWrite] = []
        for one in ran {
            if one.write.isLate { one.settle(.unavailable) } else { batch.append(one.write) }
        }
        return batch
    }

    /// The fault that `Mutation.replyBeforeCommit` is, wide enough to be killed in.
    private func tellTooEarly(_ ran: inout [Ran]) {
        for one in ran { one.settle(nil) }
        ran = []
        usleep(100_000)
    }

    /// Runs one write in its savepoint. Throws only when the whole transaction is lost; then the write has been told.
    private func run(_ write: QueuedWrite, _ database: Database, _ ran: inout [Ran]) throws {
        do {
            try database.cachedStatement(sql: "SAVEPOINT body").execute()
            ran.append(Ran(write: write, settle: try write.run(database)))
        } catch {
            // A full disk makes SQLite undo the whole transaction, with the writes of others in it.
            let isLost = !database.isInsideTransaction
            if !isLost { try undo(database, write) }
            write.fail(StorageError.replacing(error))
            if isLost { throw StorageError.unavailable }
            return
        }
        try database.cachedStatement(sql: "RELEASE body").execute()
    }

    private func undo(_ database: Database, _ write: QueuedWrite) throws {
        do {
            try database.cachedStatement(sql: "ROLLBACK TO body").execute()
            try database.cachedStatement(sql: "RELEASE body").execute()
        } catch {
            write.fail(StorageError.unavailable)
            throw error
        }
    }
}
