import Domain
import Synchronization
import Wire

/// Requests that are held open until something happens: how many there may be, in all and about one thing, and what ends them early.
///
/// Each takes a place at a service for as long. The bound for one thing is there because a sign-in's owner may be anybody: without it
/// whoever has begun one could fill the gateway with waits for it.
final class ParkedRequests: Sendable {
    private enum Interruption: Sendable { case disconnected, draining }

    private enum Outcome<Value: Sendable>: Sendable {
        case value(Value)
        case interrupted(Interruption?)
    }

    private struct State {
        var open: [UInt64: AsyncStream<Interruption>.Continuation] = [:]
        var places: [String: Int] = [:]
        var taken = 0
        var next: UInt64 = 0
        var isDraining = false
    }

    private let state = Mutex(State())
    private let waitsMax: Int

    /// A page in a few tabs, each with a stream and the poll that replaces it.
    static let waitsPerSubject = 8

    init(waitsMax: Int) { self.waitsMax = waitsMax }

    /// Everything that has a place, streams of pages included.
    var count: Int { state.withLock { $0.taken } }

    /// The requests among them that are answered when their wait ends.
    var held: Int { state.withLock(\.open.count) }

    /// Takes a place for a wait about `subject`, to be left again. Throws `overloaded` when there is none.
    func enter(_ subject: String) throws(ServiceError) {
        let hasPlace = state.withLock { state in
            guard state.taken < waitsMax, state.places[subject, default: 0] < Self.waitsPerSubject else { return false }
            state.taken += 1
            state.places[subject, default: 0] += 1
            return true
        }
        guard hasPlace else { throw ServiceError(.overloaded, "too many requests wait", retryAfter: .seconds(2)) }
    }

    func leave(_ subject: String) {
        state.withLock { state in
            state.taken -= 1
            let left = state.places[subject, default: 1] - 1
            state.places[subject] = left == 0 ? nil : left
        }
    }

    /// Waits for `operation`; nil when the gateway is stopping, so that the caller answers with what is so now.
    ///
    /// Throws `overloaded` when as many wait as may, and `CancellationError` when the other end went away, which also cancels
    /// `operation`: nobody holds a place at another service for a reader that has left.
    func hold<Value: Sendable>(
        _ connection: Connection, about subject: String, _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try enter(subject)
        defer { leave(subject) }
        let (signals, continuation) = AsyncStream<Interruption>.makeStream(bufferingPolicy: .bufferingOldest(1))
        guard let id = open(continuation) else { return nil }
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

    /// Nil while the gateway is stopping.
    private func open(_ continuation: AsyncStream<Interruption>.Continuation) -> UInt64? {
        state.withLock { state in
            guard !state.isDraining else { return nil }
            state.next += 1
            state.open[state.next] = continuation
            return state.next
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
