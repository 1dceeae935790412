package import Domain
import Synchronization

/// Wakes tasks that wait for a change; how every task here waits for something that happens in its process.
///
/// A count says how often something has changed. Who waits reads it, looks, and waits past it when nothing was found: a change between
/// looking and waiting is seen. Where a value is handed over with the word (a `StreamMailbox`, the answer of a thread), or what ends a
/// wait says why (`ParkedRequests`), the wait is a queue or a race of its own.
package final class ChangeSignal: Sendable {
    private struct State {
        var count: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Read it before looking, and wait past it when nothing was found.
    package var count: UInt64 { state.withLock(\.count) }

    /// How many wait now.
    package var waiting: Int { state.withLock(\.waiters.count) }

    /// Wakes everyone. Called after the change can be seen.
    package func advance() {
        let waiters = state.withLock { state in
            state.count += 1
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when the count is above `count` or the task is cancelled.
    package func wait(past count: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.count > count || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }

    /// As `wait(past:)`, but no longer than until `due` where there is such a moment: how a loop waits for its next deadline, or for word
    /// of an earlier one.
    package func wait(past count: UInt64, until due: Timestamp?, now: Timestamp) async {
        guard let due else { return await wait(past: count) }
        await wait(past: count, atMost: max(due - now, .milliseconds(1)))
    }

    /// As `wait(past:)`, but no longer than `limit`. Returns whether the count is above `count`.
    @discardableResult
    package func wait(past count: UInt64, atMost limit: Duration) async -> Bool {
        await wait(past: count) { try await Task.sleep(for: limit) }
    }

    /// As `wait(past:)`, but no longer than `pause` takes. Returns whether the count is above `count`.
    @discardableResult
    package func wait(past count: UInt64, atMost pause: @escaping @Sendable () async throws -> Void) async -> Bool {
        guard self.count <= count else { return true }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(past: count) }
            group.addTask { try? await pause() }
            await group.next()
            group.cancelAll()
        }
        return self.count > count
    }
}
