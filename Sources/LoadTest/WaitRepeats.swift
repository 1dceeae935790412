/// When a page asks again whose wait was lost: with its connection, at a gateway that cannot serve, or at a proxy that finds none. After
/// growing pauses, as the pages of the gateway do, and until the request has expired.
struct WaitRepeats {
    private static let firstPause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(8)

    /// When the request expires.
    let end: ContinuousClock.Instant
    private var pause = firstPause

    init(until end: ContinuousClock.Instant) { self.end = end }

    /// How long to wait before the next try; nil where there is none.
    mutating func next(after failure: CallFailure, at now: ContinuousClock.Instant) -> Duration? {
        let wait = max(pause, failure.retryAfter ?? .zero)
        guard failure.isPassing, now + wait < end else { return nil }
        pause = min(pause * 2, Self.longestPause)
        return wait
    }
}
