/// The lines of an HdrHistogram log (version 1.3): what was timed in each second as a histogram in V2 compressed encoding, tagged with
/// its latency. Values are microseconds, the longest of an interval is told in milliseconds.
package enum HistogramLog {
    /// `startedAt` in seconds since 1970, from which the times of the other lines count.
    package static func header(startedAt: Double) -> String {
        """
        #[Logged with countersign-loadtest]
        #[Histogram log format version 1.3]
        #[StartTime: \(fixed(startedAt)) (seconds since epoch)]
        "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"

        """
    }

    package static func lines(from start: Double, length: Double, _ interval: [Latency: Histogram]) -> String {
        Latency.allCases.compactMap { latency in
            guard let histogram = interval[latency], histogram.count > 0 else { return nil }
            let longest = fixed(Double(histogram.maximum) / 1000)
            return "Tag=\(latency.rawValue),\(fixed(start)),\(fixed(length)),\(longest),"
                + HistogramEncoding.encode(histogram) + "\n"
        }.joined()
    }

    /// Three decimals.
    private static func fixed(_ value: Double) -> String {
        let thousandths = Int((value * 1000).rounded())
        let decimals = String(1000 + thousandths % 1000).dropFirst()
        return "\(thousandths / 1000).\(decimals)"
    }
}
