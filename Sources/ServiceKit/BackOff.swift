/// Growing, jittered pauses between attempts, so that many callers of a service that returns do not come at once.
package struct BackOff: Sendable {
    private let first: Duration
    private let longest: Duration
    private var ceiling: Duration

    package init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
        ceiling = first
    }

    /// Between half and the whole of a ceiling that doubles each time.
    package mutating func next() -> Duration {
        let pause = ceiling * Double.random(in: 0.5...1)
        ceiling = min(ceiling * 2, longest)
        return pause
    }

    package mutating func reset() { ceiling = first }
}
