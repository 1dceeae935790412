/// A count that only grows. Label values stand in the order of the declaration.
package struct Counter: Sendable {
    let samples: ValueSamples

    package func increment(by amount: Int = 1, _ labelValues: String...) {
        precondition(amount >= 0, "a counter only grows")
        samples.add(Double(amount), labelValues)
    }
}

/// A value that rises and falls.
package struct Gauge: Sendable {
    let samples: ValueSamples

    package func set(_ value: Double, _ labelValues: String...) { samples.set(value, labelValues) }
    package func set(_ value: Int, _ labelValues: String...) { samples.set(Double(value), labelValues) }
    package func add(_ amount: Int, _ labelValues: String...) { samples.add(Double(amount), labelValues) }
}

/// A distribution over fixed buckets.
package struct Histogram: Sendable {
    /// Seconds from half a millisecond to half a minute.
    package static let latencyBuckets = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    let samples: DistributionSamples

    package func observe(_ value: Double, _ labelValues: String...) { samples.observe(value, labelValues) }
    /// In seconds, as Prometheus counts time.
    package func observe(_ duration: Duration, _ labelValues: String...) {
        samples.observe(duration.inSeconds, labelValues)
    }
}

extension Duration {
    /// Seconds as a number, for metrics alone.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
