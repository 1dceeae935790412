import Synchronization

/// The values of one counter or gauge, by label values.
///
/// One short lock each, never held while text is written. A family holds at most `seriesMax` series: what comes after is counted
/// under `other`, so that a mistaken label cannot take the memory.
final class ValueSamples: Sendable {
    static let seriesMax = 1_000

    private let labels: Int
    private let values: Mutex<[[String]: Double]>

    init(labels: Int) {
        self.labels = labels
        // A metric without labels is 0 from the start, so that a rate over it is right from the first event.
        values = Mutex(labels == 0 ? [[]: 0] : [:])
    }

    func add(_ amount: Double, _ key: [String]) {
        precondition(key.count == labels, "a metric of \(labels) labels was given \(key.count)")
        values.withLock { values in values[values.key(for: key), default: 0] += amount }
    }

    func set(_ value: Double, _ key: [String]) {
        precondition(key.count == labels, "a metric of \(labels) labels was given \(key.count)")
        values.withLock { values in values[values.key(for: key)] = value }
    }

    var all: [(labels: [String], value: Double)] {
        values.withLock { Array($0) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
            (labels: $0.key, value: $0.value)
        }
    }
}

/// Observations of one series, counted by bucket.
struct Distribution: Sendable {
    /// One more than there are bounds: the last is for what is above all of them.
    var counts: [UInt64]
    var sum = 0.0

    init(buckets: Int) { counts = [UInt64](repeating: 0, count: buckets + 1) }
}

/// The observations of one histogram, by label values.
final class DistributionSamples: Sendable {
    let bounds: [Double]
    private let labels: Int
    private let series: Mutex<[[String]: Distribution]>

    init(bounds: [Double], labels: Int) {
        self.bounds = bounds
        self.labels = labels
        series = Mutex(labels == 0 ? [[]: Distribution(buckets: bounds.count)] : [:])
    }

    func observe(_ value: Double, _ key: [String]) {
        precondition(key.count == labels, "a metric of \(labels) labels was given \(key.count)")
        // `le` means less or equal: the first bound that is not below the value.
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        series.withLock { series in
            let key = series.key(for: key)
            series[key, default: Distribution(buckets: bounds.count)].counts[bucket] += 1
            series[key]?.sum += value
        }
    }

    var all: [(labels: [String], distribution: Distribution)] {
        series.withLock { Array($0) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { (labels: $0.key, distribution: $0.value) }
    }
}

extension Dictionary where Key == [String] {
    fileprivate func key(for labels: [String]) -> [String] {
        count < ValueSamples.seriesMax || self[labels] != nil ? labels : labels.map { _ in "other" }
    }
}
