/// What is timed. Raw values are the names in reports and thresholds.
package enum Latency: String, Sendable, Codable, CaseIterable {
    /// From the moment when the sign-in was meant to begin to the 201.
    case begin
    /// From the phone's sending its answer to the reply to the waiting page.
    case answerToPage = "answer_to_page"
    /// From the moment when the sign-in was meant to begin to what it was to come to: redeemed, where it was approved.
    case whole
    /// One request to the trivial route.
    case request
}

/// A histogram in the numbers that people compare, in milliseconds.
package struct Percentiles: Sendable, Codable, Equatable {
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var p999: Double
    package var max: Double
    package var mean: Double

    init(p50: Double, p90: Double, p99: Double, p999: Double, max: Double, mean: Double) {
        self.p50 = p50
        self.p90 = p90
        self.p99 = p99
        self.p999 = p999
        self.max = max
        self.mean = mean
    }

    init(_ histogram: Histogram) {
        func milliseconds(_ microseconds: UInt64) -> Double { Double(microseconds) / 1000 }
        p50 = milliseconds(histogram.value(at: 0.5))
        p90 = milliseconds(histogram.value(at: 0.9))
        p99 = milliseconds(histogram.value(at: 0.99))
        p999 = milliseconds(histogram.value(at: 0.999))
        max = milliseconds(histogram.maximum)
        mean = histogram.mean.rounded() / 1000
    }
}
