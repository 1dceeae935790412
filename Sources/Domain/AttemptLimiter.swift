/// Slows down guessing: so many failures in a window are free, each further one doubles a pause.
///
/// An attempt counts as a failure from the moment it is admitted until `succeed` takes it back: attempts that run side by side
/// can then not all pass a check that none of them has counted in yet.
///
/// A clock that was ahead and is set back leaves times in the future behind. They hold nobody up for longer than a right clock could:
/// such a failure counts as one of now, and a pause that would be longer than it was given, by more than clocks of processes may differ,
/// is over. That costs one guess a setting.
package struct AttemptLimiter: Hashable, Sendable {
    package struct Rules: Hashable, Sendable {
        package let freeFailures: Int
        package let window: Duration
        package let firstDelay: Duration
        package let longestDelay: Duration

        package init(freeFailures: Int, window: Duration, firstDelay: Duration, longestDelay: Duration) {
            precondition(freeFailures > 0, "somebody must be allowed to try once")
            self.freeFailures = freeFailures
            self.window = window
            self.firstDelay = firstDelay
            self.longestDelay = longestDelay
        }

        /// Passwords and Temporary Access Passes: 10 failures in 10 minutes, then 1 minute, doubling up to a day.
        package static let passwords = Rules(
            freeFailures: 10, window: .seconds(600), firstDelay: .seconds(60), longestDelay: .seconds(86_400))
    }

    package enum Verdict: Hashable, Sendable {
        case admitted
        /// No attempt is made before this much time has passed.
        case wait(Duration)
    }

    package let rules: Rules
    /// The times of the latest failures, oldest first, at most `freeFailures` of them.
    package private(set) var failures: [Timestamp]
    /// How many pauses have been given in a row.
    package private(set) var delays: Int
    package private(set) var nextAllowedAt: Timestamp?

    package init(rules: Rules, failures: [Timestamp] = [], delays: Int = 0, nextAllowedAt: Timestamp? = nil) {
        self.rules = rules
        self.failures = failures
        self.delays = delays
        self.nextAllowedAt = nextAllowedAt
    }

    /// Nothing is remembered: the counter need not be stored.
    package var isBlank: Bool { failures.isEmpty && delays == 0 && nextAllowedAt == nil }

    /// When all of this can be forgotten, if nothing more happens.
    package var forgottenAt: Timestamp? {
        guard let last = failures.last else { return nextAllowedAt }
        return max(nextAllowedAt ?? last, last) + rules.window
    }

    /// Admits an attempt and counts it as failed, or says how long to wait; a refused attempt does not count.
    package mutating func admit(at now: Timestamp) -> Verdict {
        disregardFuture(of: now)
        if let forgottenAt, forgottenAt <= now { forget() }
        if let nextAllowedAt, now < nextAllowedAt { return .wait(nextAllowedAt - now) }
        if delays == 0 { failures.removeAll { $0 + rules.window <= now } }
        failures.append(now)
        if failures.count > rules.freeFailures { failures.removeFirst(failures.count - rules.freeFailures) }
        if failures.count == rules.freeFailures {
            nextAllowedAt = now + delay(after: delays)
            delays += 1
        }
        return .admitted
    }

    /// The admitted attempt was right: everything before it is forgiven.
    package mutating func succeed() { forget() }

    /// The admitted attempt was never made, through no fault of its maker: it counts as nothing.
    package mutating func uncount(_ attempt: Timestamp) {
        guard let index = failures.lastIndex(of: attempt) else { return }
        failures.remove(at: index)
        if delays > 0 {
            delays -= 1
            nextAllowedAt = delays == 0 ? nil : attempt
        }
    }

    private mutating func disregardFuture(of now: Timestamp) {
        failures = failures.map { min($0, now) }
        if let end = nextAllowedAt, end - now > delay(after: delays - 1) + ClockSkew.tolerated { nextAllowedAt = now }
    }

    private mutating func forget() { self = AttemptLimiter(rules: rules) }

    private func delay(after count: Int) -> Duration {
        // Past 2^30 the product is far beyond any longest delay.
        min(rules.firstDelay * (1 << min(count, 30)), rules.longestDelay)
    }
}
