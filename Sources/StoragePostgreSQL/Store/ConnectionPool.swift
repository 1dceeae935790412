import Dispatch
import Foundation
import Storage
import Synchronization

/// Threads with a session each, and the bodies that wait for one of them, first come, first served.
///
/// Libpq blocks, and so do bodies: neither may hold one of the few threads that every task of the process shares.
final class ConnectionPool: Sendable {
    typealias Job = @Sendable (Session) -> Void

    private struct State {
        var waiting: [Job] = []
        var isClosed = false
        var running: Int
        var closing: [CheckedContinuation<Void, Never>] = []
    }

    private let queuedMax: Int
    private let threads: Int
    private let state: Mutex<State>
    /// One signal for each body, and at the end one for each thread.
    private let work = DispatchSemaphore(value: 0)

    init(_ configuration: PostgreSQLConfiguration, _ surroundings: Session.Surroundings) {
        queuedMax = configuration.queuedBodiesMax
        threads = configuration.connections
        state = Mutex(State(running: threads))
        for number in 0..<threads {
            let thread = Thread { self.serve(Session(configuration, surroundings)) }
            thread.name = "store-\(number)"
            thread.start()
        }
    }

    /// Bodies that wait for a connection.
    var queued: Int { state.withLock(\.waiting.count) }

    /// Throws `unavailable` without running the body when too many wait, or the pool is closed.
    func perform<Result: Sendable>(_ body: @escaping @Sendable (Session) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { (reply: CheckedContinuation<Result, any Error>) in
            let isAccepted = submit { session in reply.resume(with: Swift.Result { try body(session) }) }
            if !isAccepted { reply.resume(throwing: StorageError.unavailable) }
        }
    }

    /// Returns whether the job will be done.
    func submit(evenWhenFull: Bool = false, _ job: @escaping Job) -> Bool {
        let isAccepted = state.withLock { state in
            guard !state.isClosed, evenWhenFull || state.waiting.count < queuedMax else { return false }
            state.waiting.append(job)
            return true
        }
        if isAccepted { work.signal() }
        return isAccepted
    }

    /// Takes nothing new, and ends the threads when what was accepted has ended.
    func stop() {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { for _ in 0..<threads { work.signal() } }
    }

    /// As `stop`, and returns when the threads have ended and their connections are closed.
    func close() async {
        stop()
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.running > 0 { state.closing.append(continuation) }
                return state.running == 0
            }
            if isOver { continuation.resume() }
        }
    }

    private func serve(_ session: consuming Session) {
        while let job = next() { job(session) }
        _ = consume session
        let closing = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.closing = [] }
            return state.closing
        }
        for continuation in closing { continuation.resume() }
    }

    /// Waits for a body; nil when there will be none.
    private func next() -> Job? {
        work.wait()
        return state.withLock { state in state.waiting.isEmpty ? nil : state.waiting.removeFirst() }
    }
}
