import Synchronization

/// Who has taken a change over, so that a reply says that it is in force everywhere and not only that it is on disk.
///
/// A follower is another process that mirrors something of this one by parked calls; it acknowledges a revision by asking what comes
/// after it. Followers are counted and not named: as many as were there when the change came are waited for, and for a moment only,
/// because one that has died must not stop anybody.
package final class Followers: Sendable {
    private struct Wait {
        let revision: UInt64
        var missing: Int
    }

    private struct State {
        var calls = 0
        var waits: [UInt64: Wait] = [:]
        var lastNumber: UInt64 = 0
        var arrivalsUntil: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let acknowledged = ChangeSignal()
    private let patience: Duration
    private let arrival: Duration

    /// `patience` is how long a change waits for those that do not ask again, `arrival` how long those need who followed the process
    /// before this one.
    package init(patience: Duration = .milliseconds(500), arrival: Duration = .seconds(1)) {
        self.patience = patience
        self.arrival = arrival
    }

    /// The process has begun to serve. A change that its predecessor made and did not live to tell is answered by this one, so that
    /// changes wait for those who are on their way.
    package func expectArrivals() { state.withLock { $0.arrivalsUntil = .now + arrival } }

    /// Runs the call of a follower that has everything up to `revision`, or nothing yet.
    package func following<Result: Sendable>(_ revision: UInt64?, _ body: () async throws -> Result) async rethrows
        -> Result
    {
        state.withLock { state in
            state.calls += 1
            guard let revision else { return }
            for (number, wait) in state.waits where wait.revision <= revision { state.waits[number]?.missing -= 1 }
        }
        acknowledged.advance()
        defer { state.withLock { $0.calls -= 1 } }
        return try await body()
    }

    /// Tells the followers by `announce`, and returns when as many as there were have `revision`, when they have had their time, or
    /// when the task is cancelled; in a process that has just begun, not before those who are expected have had theirs: what they ask
    /// first has the change in it.
    package func wait(at revision: UInt64, announce: () -> Void) async {
        await waitForThose(at: revision, announce)
        guard let until = state.withLock({ $0.arrivalsUntil }), until > .now else { return }
        try? await Task.sleep(until: until)
    }

    private func waitForThose(at revision: UInt64, _ announce: () -> Void) async {
        // Before the announcement, so that no acknowledgement comes too early to be counted.
        let (number, isAwaited) = state.withLock { state in
            state.lastNumber += 1
            state.waits[state.lastNumber] = Wait(revision: revision, missing: state.calls)
            return (state.lastNumber, state.calls > 0)
        }
        defer { state.withLock { _ = $0.waits.removeValue(forKey: number) } }
        announce()
        guard isAwaited else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.nobodyIsMissing(number) }
            // The limit of the wait; cancelled as soon as everybody has it.
            group.addTask { [patience] in try? await Task.sleep(for: patience) }
            await group.next()
            group.cancelAll()
        }
    }

    private func nobodyIsMissing(_ number: UInt64) async {
        while !Task.isCancelled {
            let seen = acknowledged.count
            guard state.withLock({ $0.waits[number]?.missing ?? 0 }) > 0 else { return }
            await acknowledged.wait(past: seen)
        }
    }
}
