/// How often each latency was seen: whole microseconds in log-linear buckets, so that every value is known to a thousandth in memory
/// that does not grow. The layout is HdrHistogram's with the values 1 to 3,600,000,000 and three significant digits, so that its tools
/// read the counts.
package struct Histogram: Sendable, Equatable {
    /// An hour: what is longer is counted as this.
    package static let highest: UInt64 = 3_600_000_000
    static let significantDigits = 3
    /// A bucket has 2,048 steps, of which the lower half is the bucket below: 1,024 counts a bucket, as a power of two.
    private static let halfBits = 10
    private static let half = 1 << halfBits
    private static let mask: UInt64 = 2047
    /// 2,048 doubled 21 times is the first that is over `highest`: 22 buckets, and the lower half of the first.
    static let length = 23 << halfBits

    /// One count an index; `range(at:)` says of which values.
    private(set) var counts: [UInt64]
    package private(set) var count: UInt64 = 0
    /// The longest, in microseconds; 0 when there is none.
    package private(set) var maximum: UInt64 = 0

    package init() { counts = [UInt64](repeating: 0, count: Self.length) }

    package mutating func record(_ latency: Duration) {
        let (seconds, attoseconds) = latency.components
        record(microseconds: UInt64(clamping: seconds) * 1_000_000 + UInt64(clamping: attoseconds / 1_000_000_000_000))
    }

    package mutating func record(microseconds: UInt64, times: UInt64 = 1) {
        let value = min(microseconds, Self.highest)
        counts[Self.index(of: value)] += times
        count += times
        maximum = max(maximum, value)
    }

    /// Counts what `other` counted, too.
    package mutating func merge(_ other: Histogram) {
        for index in counts.indices where other.counts[index] > 0 { counts[index] += other.counts[index] }
        count += other.count
        maximum = max(maximum, other.maximum)
    }

    package mutating func removeAll() {
        for index in counts.indices { counts[index] = 0 }
        count = 0
        maximum = 0
    }

    /// The value, in microseconds, that `quantile` (0 to 1) of all are not over; 0 when there is none.
    package func value(at quantile: Double) -> UInt64 {
        let wanted = max(1, UInt64((quantile * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, count) in counts.enumerated() where count > 0 {
            seen += count
            if seen >= wanted { return min(Self.range(at: index).upperBound, maximum) }
        }
        return maximum
    }

    /// In microseconds; each value counts as the middle of its step.
    package var mean: Double {
        guard count > 0 else { return 0 }
        var sum = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            let range = Self.range(at: index)
            sum += Double(range.lowerBound + range.upperBound) / 2 * Double(count)
        }
        return sum / Double(count)
    }

    static func index(of value: UInt64) -> Int {
        let bucket = UInt64.bitWidth - (value | mask).leadingZeroBitCount - (halfBits + 1)
        return (bucket + 1) << halfBits + Int(value >> UInt64(bucket)) - half
    }

    /// Which values an index stands for, in microseconds.
    static func range(at index: Int) -> ClosedRange<UInt64> {
        let bucket = max(index >> halfBits - 1, 0)
        let step = index < half ? index : index & (half - 1) + half
        // In the lowest bucket both halves count ones.
        let lowest = UInt64(step) << UInt64(bucket)
        return lowest...(lowest + 1 << UInt64(bucket) - 1)
    }
}
