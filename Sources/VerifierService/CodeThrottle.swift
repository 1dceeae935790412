import Domain
import Storage

/// How failures with offline codes slow down and then lock the next try. A value: no clock, no store.
struct CodeThrottle: Sendable {
    /// No wait that a caller is told is longer.
    private static let delayMax = Duration.seconds(86_400)

    /// What a locked name waits for where the tenant's first delay comes after its lock.
    private static let lockedDelayMin = Duration.seconds(60)

    let settings: TenantSettings

    /// How long the next try must wait: nil when it may go ahead. A locked name waits for as long as its last failure would make it
    /// wait, again and again, so that the lock looks like one more delay. A wait that would be longer than it was given, by more than
    /// clocks of processes may differ, is over: the clock was ahead and has been set back.
    func wait(_ failures: CodeFailures?, now: Timestamp) -> Duration? {
        guard let failures else { return nil }
        let given = delay(failures.count)
        if failures.isLocked { return max(given, Self.lockedDelayMin) }
        let remaining = failures.nextAllowedAt - now
        return remaining > .zero && remaining <= given + ClockSkew.tolerated ? remaining : nil
    }

    /// The counter after one more failure.
    func failed(_ failures: CodeFailures, countsTowardsLock: Bool, now: Timestamp) -> CodeFailures {
        var failures = failures
        failures.count += 1
        if countsTowardsLock { failures.countTowardsLock += 1 }
        failures.isLocked = failures.isLocked || failures.countTowardsLock >= settings.wrongCodesBeforeLock
        failures.lastAt = now
        failures.nextAllowedAt = now + delay(failures.count)
        return failures
    }

    /// None before the first step, then the tenant's delay, doubled with each further failure.
    func delay(_ count: Int) -> Duration {
        guard count >= settings.wrongCodesBeforeDelay else { return .zero }
        let doublings = min(count - settings.wrongCodesBeforeDelay, 16)
        return min(.seconds(settings.wrongCodeDelayMinutes * 60 << doublings), Self.delayMax)
    }
}
