import Domain

/// Whether a provider that fails is asked: not while it is likely to fail again, or has asked to be left alone, and then by one request
/// first. A value: no clock.
struct CircuitBreaker: Hashable, Sendable {
    struct Limits: Hashable, Sendable {
        /// Failures one after another before the provider is left alone.
        var failuresMax = 5
        var firstPause = Duration.seconds(1)
        /// Pauses double up to this, unless the provider asks for more itself.
        var longestPause = Duration.seconds(30)
        /// While one request asks whether the provider is back, the others wait this long.
        var probePause = Duration.seconds(1)
    }

    enum Admission: Hashable, Sendable {
        case ask
        case wait(Duration)
    }

    private enum State: Hashable, Sendable {
        case closed(failures: Int)
        case open(until: Timestamp)
        /// One request is on its way; if nothing is heard of it, the next one goes at `until`.
        case halfOpen(until: Timestamp)
    }

    private let limits: Limits
    private var state = State.closed(failures: 0)
    private var pause: Duration

    init(_ limits: Limits = Limits()) {
        self.limits = limits
        pause = limits.firstPause
    }

    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// How long nobody may ask; nil when somebody may.
    func pause(now: Timestamp) -> Duration? {
        switch state {
        case .open(let until) where now < until, .halfOpen(let until) where now < until: until - now
        case .closed, .open, .halfOpen: nil
        }
    }

    mutating func admit(now: Timestamp) -> Admission {
        if let pause = pause(now: now) { return .wait(pause) }
        if !isClosed { state = .halfOpen(until: now + limits.probePause) }
        return .ask
    }

    /// The provider is there, whatever it thought of the request.
    mutating func succeeded() {
        state = .closed(failures: 0)
        pause = limits.firstPause
    }

    /// The provider failed, and perhaps asked to be left alone for `wanted`.
    mutating func failed(now: Timestamp, wanted: Duration = .zero) {
        switch state {
        case .closed(let failures) where failures + 1 < limits.failuresMax:
            state = .closed(failures: failures + 1)
        case .open(let until):
            // Asked before the pause began: nothing new, unless it wants a longer one.
            state = .open(until: max(until, now + wanted))
        case .closed, .halfOpen:
            state = .open(until: now + max(pause, wanted))
            pause = min(pause * 2, limits.longestPause)
        }
    }

    /// The provider asked to be left alone by all for `wanted`: it need not be asked more often to believe that.
    mutating func heldBack(now: Timestamp, for wanted: Duration) {
        guard wanted > .zero else { return failed(now: now) }
        var until = now + wanted
        // Others may have been told of a longer time.
        if case .open(let longest) = state { until = max(until, longest) }
        state = .open(until: until)
    }
}
