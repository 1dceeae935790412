import Synchronization

/// What one of several generator processes tells the one that started it. Histograms are in HdrHistogram's V2 compressed encoding.
package enum GeneratorMessage: Sendable, Codable, Equatable {
    /// So many of its people are ready.
    case made(Int)
    /// All its phones listen: it waits for the word to begin.
    case ready
    case began(phase: Int)
    /// The `number`th second of the phase, from 0.
    case passed(phase: Int, number: Int, slice: Slice, interval: [String: String], failures: [String: Int])
    case ended(phase: Int, second: Double, interval: [String: String])
    case removed(left: Int)
    case report(Report)
}

/// Tells another process what happens in this one. Phases are told by their place.
package final class GeneratorObserver: RunObserver {
    private let tell: @Sendable (GeneratorMessage) -> Void
    /// How many phases have begun and ended: they do so in their order. How many seconds of the last one have passed.
    private let counts = Mutex((begun: 0, ended: 0, passed: 0))

    package init(tell: @escaping @Sendable (GeneratorMessage) -> Void) { self.tell = tell }

    package func made(_ count: Int, of total: Int) { tell(.made(count)) }

    package func began(_ phase: Phase) {
        let place = counts.withLock { counts in
            counts.begun += 1
            counts.passed = 0
            return counts.begun - 1
        }
        tell(.began(phase: place))
    }

    package func passed(
        _ slice: Slice, of phase: Phase, _ interval: [Latency: Histogram], failures: [String: Int]
    ) {
        let (place, number) = counts.withLock { counts in
            defer { counts.passed += 1 }
            return (counts.begun - 1, counts.passed)
        }
        tell(
            .passed(
                phase: place, number: number, slice: slice, interval: Self.encoded(interval), failures: failures))
    }

    package func ended(_ phase: Phase, at second: Double, _ interval: [Latency: Histogram]) {
        let place = counts.withLock { counts in
            counts.ended += 1
            return counts.ended - 1
        }
        tell(.ended(phase: place, second: second, interval: Self.encoded(interval)))
    }

    package func removed(left: Int) { tell(.removed(left: left)) }

    private static func encoded(_ interval: [Latency: Histogram]) -> [String: String] {
        interval.mapNames { HistogramEncoding.encode($0) }
    }
}
