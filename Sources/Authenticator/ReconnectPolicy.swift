/// How long to wait before an event stream is opened again: doubling with full jitter, so that thousands of phones do not come
/// back in step after an outage.
public struct ReconnectPolicy: Sendable, Hashable {
    public var first: Duration
    public var longest: Duration

    public init(first: Duration = .milliseconds(500), longest: Duration = .seconds(30)) {
        self.first = first
        self.longest = longest
    }

    /// The wait after so many failures in a row, 1 or more. `random` is in 0..<1. At least half of the step is waited, so that a
    /// phone never spins; the server's own wish, when it has one, is the least.
    func delay(failures: Int, random: Double, wish: Duration? = nil) -> Duration {
        let step = min(longest, first * (1 << min(max(failures, 1) - 1, 16)))
        let jittered = step / 2 + step / 2 * random
        guard let wish, wish > jittered else { return jittered }
        return min(wish, .seconds(300)) + first * random
    }
}
