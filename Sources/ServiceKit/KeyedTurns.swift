import Synchronization
import Wire

/// One after the other, for each of many things, in the order of coming.
package final class KeyedTurns<Key: Hashable & Sendable>: Sendable {
    private enum Answer: Sendable { case yours, full, canceled }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Answer, Never>
    }

    private struct State {
        /// Of each thing whose turn is taken: who waits for it.
        var lines: [Key: [Waiter]] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())
    private let waitingMax: Int

    /// `waitingMax` is how many may wait for the turn of one thing.
    package init(waitingMax: Int) { self.waitingMax = waitingMax }

    /// Runs `body` when nobody before it runs with this key. Throws what `body` throws, `overloaded` when too many wait already, and
    /// `CancellationError`.
    package func inTurn<Result: Sendable>(of key: Key, _ body: () async throws -> Result) async throws -> Result {
        switch await take(key) {
        case .yours: break
        case .full: throw ServiceError(.overloaded, "too many ask at the same time", retryAfter: .seconds(1))
        case .canceled: throw CancellationError()
        }
        defer { pass(key) }
        return try await body()
    }

    /// How many wait for the turn of `key`.
    package func waiting(for key: Key) -> Int { state.withLock { $0.lines[key]?.count ?? 0 } }

    private func take(_ key: Key) async -> Answer {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Answer? = state.withLock { state in
                    guard let line = state.lines[key] else {
                        state.lines[key] = []
                        return .yours
                    }
                    // Whoever is cancelled from here on is found in the line.
                    if Task.isCancelled { return .canceled }
                    if line.count >= waitingMax { return .full }
                    state.lines[key]?.append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let place = state.lines[key]?.firstIndex(where: { $0.id == id }) else { return nil }
                return state.lines[key]?.remove(at: place)
            }
            waiter?.continuation.resume(returning: .canceled)
        }
    }

    private func pass(_ key: Key) {
        let next = state.withLock { state -> Waiter? in
            guard state.lines[key]?.isEmpty == false else {
                state.lines[key] = nil
                return nil
            }
            return state.lines[key]?.removeFirst()
        }
        next?.continuation.resume(returning: .yours)
    }
}
