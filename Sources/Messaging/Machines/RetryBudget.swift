/// How many retries one callee service may get: a tenth of the successes and ten a second, so that retries never become the load.
struct RetryBudget {
    static let capacity = 1_024.0
    static let perSuccess = 0.1
    static let perSecond = 10.0

    private var tokens = Self.capacity
    private var refilledAt: ContinuousClock.Instant?

    mutating func succeeded() { tokens = min(Self.capacity, tokens + Self.perSuccess) }

    /// Whether one retry may be made now.
    mutating func spend(at now: ContinuousClock.Instant) -> Bool {
        if let last = refilledAt, last < now {
            let elapsed = last.duration(to: now).components
            let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
            tokens = min(Self.capacity, tokens + seconds * Self.perSecond)
        }
        refilledAt = max(refilledAt ?? now, now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
