import Synchronization

/// Who has taken a change over, so that a reply says that it is in force everywhere and not only that it is on disk.
///
/// A follower is another process that mirrors something of this one by parked calls; it acknowledges a revision by asking what comes
/// after it. Followers are counted and not named: as many as were parked when the change came are waited for, and for a moment only,
/// because one that has died must not stop anybody.
package final class Followers: Sendable {
    private struct Wait {
        let revision: UInt64
        var missing: Int
        var isOver = false
        var continuation: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var waits: [UInt64: Wait] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())
    private let patience: Duration

    /// `patience` is how long a change waits for those that do not ask again.
    package init(patience: Duration = .milliseconds(500)) { self.patience = patience }

    /// One follower has everything up to `revision`.
    package func acknowledged(_ revision: UInt64) {
        let over = state.withLock { state in
            var over: [CheckedContinuation<Void, Never>] = []
            for (number, wait) in state.waits where wait.revision <= revision && !wait.isOver {
                var wait = wait
                wait.missing -= 1
                wait.isOver = wait.missing <= 0
                if wait.isOver, let continuation = wait.continuation.take() { over.append(continuation) }
                state.waits[number] = wait
            }
            return over
        }
        for continuation in over { continuation.resume() }
    }

    /// Tells the followers by `announce`, and returns when as many as `count` have `revision`, when they have had their time, or when
    /// the task is cancelled.
    package func wait(for count: Int, at revision: UInt64, announce: () -> Void) async {
        // Before the announcement, so that no acknowledgement comes too early to be counted.
        let number = state.withLock { state in
            state.lastNumber += 1
            state.waits[state.lastNumber] = Wait(revision: revision, missing: count, isOver: count <= 0)
            return state.lastNumber
        }
        announce()
        guard count > 0 else { return forget(number) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.suspend(number) }
            // The limit of the wait; cancelled as soon as everybody has it.
            group.addTask { [patience] in try? await Task.sleep(for: patience) }
            await group.next()
            group.cancelAll()
        }
        forget(number)
    }

    private func forget(_ number: UInt64) { state.withLock { _ = $0.waits.removeValue(forKey: number) } }

    private func suspend(_ number: UInt64) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    guard let wait = state.waits[number], !wait.isOver, !Task.isCancelled else { return true }
                    state.waits[number]?.continuation = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { $0.waits[number]?.continuation.take() }
            continuation?.resume()
        }
    }
}
