import Domain
import Synchronization
import Wire

/// Requests that are held open until something happens: how many there may be, and what ends them early.
final class ParkedRequests: Sendable {
    private enum Interruption: Sendable { case disconnected, draining }

    private enum Outcome<Value: Sendable>: Sendable {
        case value(Value)
        case interrupted(Interruption?)
    }

    private struct State {
        var open: [UInt64: AsyncStream<Interruption>.Continuation] = [:]
        var next: UInt64 = 0
        var isDraining = false
    }

    private let state = Mutex(State())
    private let waitsMax: Int

    init(waitsMax: Int) { self.waitsMax = waitsMax }

    var count: Int { state.withLock { $0.open.count } }

    /// Waits for `operation`; nil when the gateway is stopping, so that the caller answers with what is so now.
    ///
    /// Throws `overloaded` when as many wait as may, and `CancellationError` when the other end went away, which also cancels
    /// `operation`: nobody holds a place at another service for a reader that has left.
    func hold<Value: Sendable>(_ connection: Connection, _ operation: @escaping @Sendable () async throws -> Value)
        async throws -> Value?
    {
        let (signals, continuation) = AsyncStream<Interruption>.makeStream(bufferingPolicy: .bufferingOldest(1))
        guard let id = try admit(continuation) else { return nil }
        let watch = await connection.watch()
        let token = watch?.onClose { continuation.yield(.disconnected) }
        defer {
            watch?.forget(token)
            state.withLock { _ = $0.open.removeValue(forKey: id) }
        }
        let outcome = try await withThrowingTaskGroup(of: Outcome<Value>.self) { group in
            group.addTask { .value(try await operation()) }
            group.addTask { .interrupted(await signals.first { _ in true }) }
            defer { group.cancelAll() }
            return try await group.next()
        }
        switch outcome {
        case .value(let value): return value
        case .interrupted(.draining): return nil
        case .interrupted, nil: throw CancellationError()
        }
    }

    private func admit(_ continuation: AsyncStream<Interruption>.Continuation) throws(ServiceError) -> UInt64? {
        enum Admission {
            case draining, full
            case admitted(UInt64)
        }
        let admission: Admission = state.withLock { state in
            guard !state.isDraining else { return .draining }
            guard state.open.count < waitsMax else { return .full }
            state.next += 1
            state.open[state.next] = continuation
            return .admitted(state.next)
        }
        switch admission {
        case .draining: return nil
        case .full: throw ServiceError(.overloaded, "too many requests wait", retryAfter: .seconds(2))
        case .admitted(let id): return id
        }
    }

    /// Lets every waiting request answer with what is so now.
    func drain() {
        let open = state.withLock { state in
            state.isDraining = true
            return state.open
        }
        for continuation in open.values { continuation.yield(.draining) }
    }
}
