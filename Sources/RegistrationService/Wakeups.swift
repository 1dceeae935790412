import Synchronization

/// Lets tasks wait for word of a key without missing any: a ticket is drawn before the state is read, and a wait with it returns
/// at once when the key was woken since.
final class Wakeups<Key: Hashable & Sendable>: Sendable {
    /// A wait that has begun.
    struct Ticket: Sendable {
        fileprivate let id: UInt64
    }

    private struct Waiter {
        let key: Key
        var isWoken = false
        var continuation: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var nextID: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
        var byKey: [Key: Set<UInt64>] = [:]
    }

    private let state = Mutex(State())

    /// Runs `body` with a ticket for `key`; the ticket is given back whatever happens.
    func watching<Result: Sendable>(_ key: Key, _ body: (Ticket) async throws -> Result) async rethrows -> Result {
        let id = state.withLock { state in
            state.nextID += 1
            state.waiters[state.nextID] = Waiter(key: key)
            state.byKey[key, default: []].insert(state.nextID)
            return state.nextID
        }
        defer { remove(id) }
        return try await body(Ticket(id: id))
    }

    /// Returns when the key is woken, after `limit`, or when the task is cancelled.
    func wait(_ ticket: Ticket, atMost limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.suspend(ticket.id) }
            // The limit of the wait, not a poll; cancelled as soon as word comes.
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    func wake(_ key: Key) {
        let continuations = state.withLock { state in
            (state.byKey[key] ?? []).compactMap { id in
                state.waiters[id]?.isWoken = true
                return state.waiters[id]?.continuation.take()
            }
        }
        for continuation in continuations { continuation.resume() }
    }

    func wakeAll() {
        for key in state.withLock({ Array($0.byKey.keys) }) { wake(key) }
    }

    /// How many wait now.
    var count: Int { state.withLock { $0.waiters.count } }

    private func suspend(_ id: UInt64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard let waiter = state.waiters[id], !waiter.isWoken, !Task.isCancelled else {
                        state.waiters[id]?.isWoken = false
                        return true
                    }
                    state.waiters[id]?.continuation = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters[id]?.continuation.take() }?.resume()
        }
    }

    private func remove(_ id: UInt64) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiters.removeValue(forKey: id) else { return nil }
            state.byKey[waiter.key]?.remove(id)
            if state.byKey[waiter.key]?.isEmpty == true { state.byKey[waiter.key] = nil }
            return waiter.continuation
        }
        continuation?.resume()
    }
}
