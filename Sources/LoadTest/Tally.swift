import Synchronization

/// What one phase counts while it runs. A sign-in belongs to the phase in which it was meant to begin, whenever it ends.
final class Tally: Sendable {
    private struct State {
        var counts = Counts()
        /// Since the last slice.
        var latencies: [Latency: Histogram] = [:]
        var total: [Latency: Histogram] = [:]
        var sliced = Counts()
        var slices: [Slice] = []
        /// When the phase is over; nil while it lasts.
        var seconds: Double?
        var requests = 0
    }

    let phase: Phase
    private let state = Mutex(State())

    init(_ phase: Phase) { self.phase = phase }

    // MARK: what happens

    func offered() { state.withLock { $0.counts.offered += 1 } }
    func notStarted(_ count: Int = 1) { state.withLock { $0.counts.notStarted += count } }

    func began(isLate: Bool) {
        state.withLock {
            $0.counts.begun += 1
            if isLate { $0.counts.late += 1 }
        }
    }

    func record(_ latency: Latency, _ duration: Duration) {
        state.withLock { $0.latencies[latency, default: Histogram()].record(duration) }
    }

    func completed(_ intention: Intention?, _ whole: Duration, _ latency: Latency = .whole) {
        state.withLock {
            $0.counts.completed += 1
            $0.counts.ended += 1
            if $0.seconds == nil { $0.counts.completedInTime += 1 }
            if let intention { $0.counts.outcomes[intention.rawValue, default: 0] += 1 }
            $0.latencies[latency, default: Histogram()].record(whole)
        }
    }

    /// A sign-in has ended by that.
    func failed(_ kind: String) {
        state.withLock {
            $0.counts.failures.add(kind)
            $0.counts.ended += 1
        }
    }

    /// A stream or a wait that was lost, and taken up again: nobody failed by that.
    func reconnected(_ kind: String) { state.withLock { $0.counts.reconnections.add(kind) } }

    /// What went wrong at a phone, as an event stream that stays lost does: the sign-in that it may concern goes on.
    func troubled(_ kind: String) { state.withLock { $0.counts.failures.add(kind) } }

    func mismatched(_ what: String) { state.withLock { $0.counts.mismatches.add(what) } }

    // MARK: what is told

    var failures: [String: Int] { state.withLock { $0.counts.failures } }
    /// How long the phase took; 0 while it lasts.
    var seconds: Double { state.withLock { $0.seconds ?? 0 } }
    var slicedSeconds: Double { state.withLock { $0.slices.last?.second ?? 0 } }

    /// The end of the phase after so many seconds and HTTP requests; what ends later still counts.
    func end(after seconds: Double, requests: Int) {
        state.withLock {
            $0.seconds = seconds
            $0.requests = requests
        }
    }

    /// What was counted since the last slice, which ends `second` seconds after the start of the phase.
    @discardableResult
    func slice(at second: Double) -> (slice: Slice, interval: [Latency: Histogram]) {
        state.withLock { state in
            let interval = state.latencies
            let slice = Slice(
                second: second, counts: state.counts, before: state.sliced,
                latency: interval.mapNames { Percentiles($0) })
            for (latency, histogram) in interval { state.total[latency, default: Histogram()].merge(histogram) }
            state.latencies = [:]
            state.sliced = state.counts
            state.slices.append(slice)
            return (slice, interval)
        }
    }

    /// What the phase came to, once it is over.
    func result() -> PhaseResult {
        state.withLock { state in
            for (latency, histogram) in state.latencies { state.total[latency, default: Histogram()].merge(histogram) }
            state.latencies = [:]
            return PhaseResult(
                phase: phase, seconds: state.seconds ?? 0, requests: state.requests, counts: state.counts,
                histograms: state.total, timeline: state.slices)
        }
    }
}

/// What is counted in numbers.
struct Counts: Sendable {
    var offered = 0
    var begun = 0
    var completed = 0
    /// Sign-ins that are not under way any more, whatever they came to.
    var ended = 0
    /// Before the phase was over.
    var completedInTime = 0
    var late = 0
    var notStarted = 0
    var outcomes: [String: Int] = [:]
    var failures: [String: Int] = [:]
    var reconnections: [String: Int] = [:]
    var mismatches: [String: Int] = [:]

    var failed: Int { failures.values.reduce(0, +) }
}

extension [String: Int] {
    /// More kinds than this are counted together: a kind is made of steps and codes, but also of what a proxy answers.
    private static let kindsMax = 64

    fileprivate mutating func add(_ kind: String) {
        let isKnown = self[kind] != nil || count < Self.kindsMax
        self[isKnown ? kind : "other", default: 0] += 1
    }
}

extension Dictionary where Key == Latency {
    func mapNames<Other>(_ transform: (Value) -> Other) -> [String: Other] {
        .init(uniqueKeysWithValues: map { ($0.key.rawValue, transform($0.value)) })
    }
}
