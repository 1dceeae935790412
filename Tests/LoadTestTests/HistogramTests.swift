import Testing

@testable import LoadTest

@Suite("Histogram")
struct HistogramTests {
    @Test(
        "a value is in the range of its index, and the range is a thousandth of it at most",
        arguments: [0, 1, 1023, 1024, 2047, 2048, 4095, 4096, 123_456, 10_000_000, 3_599_999_999, Histogram.highest])
    func range(value: UInt64) {
        let index = Histogram.index(of: value)
        let range = Histogram.range(at: index)
        #expect(range.contains(value))
        #expect(Double(range.upperBound - range.lowerBound) <= Double(value) / 1000)
        #expect(index < Histogram.length)
    }

    @Test("indexes follow each other without a gap")
    func gapless() {
        #expect(
            (1..<Histogram.length).allSatisfy { index in
                let range = Histogram.range(at: index)
                return range.lowerBound == Histogram.range(at: index - 1).upperBound + 1
                    && Histogram.index(of: range.lowerBound) == index
            })
    }

    @Test("quantiles of 1 to 10,000 microseconds are theirs to a thousandth")
    func quantiles() {
        var histogram = Histogram()
        for value in 1...10_000 { histogram.record(.microseconds(value)) }
        #expect(histogram.count == 10_000)
        #expect(histogram.maximum == 10_000)
        for (quantile, value) in [(0.5, 5000.0), (0.9, 9000), (0.99, 9900), (0.999, 9990), (1, 10_000)] {
            #expect(abs(Double(histogram.value(at: quantile)) - value) <= value / 1000)
        }
        #expect(abs(histogram.mean - 5000.5) < 5)
    }

    @Test("an empty histogram is all zeros, and one value is every quantile")
    func few() {
        var histogram = Histogram()
        #expect(histogram.value(at: 0.5) == 0)
        #expect(histogram.mean == 0)
        histogram.record(.seconds(7200))
        #expect(histogram.value(at: 0) == Histogram.highest)
        #expect(histogram.maximum == Histogram.highest)
    }

    @Test("what two counted is what one would have counted")
    func merging() {
        var first = Histogram()
        var second = Histogram()
        var both = Histogram()
        for value in 0..<3000 {
            if value.isMultiple(of: 2) {
                first.record(.microseconds(value * 7))
            } else {
                second.record(.microseconds(value * 7))
            }
            both.record(.microseconds(value * 7))
        }
        first.merge(second)
        #expect(first == both)
    }

    @Test("the V2 encoding gives back the same counts")
    func encoding() throws {
        var histogram = Histogram()
        for value in [0, 1, 2, 2, 2, 900, 123_456, 123_456_789] { histogram.record(.microseconds(value)) }
        for _ in 0..<300 { histogram.record(.milliseconds(5)) }
        let decoded = try HistogramEncoding.decode(HistogramEncoding.encode(histogram))
        #expect(decoded.counts == histogram.counts)
        #expect(decoded.count == histogram.count)
        #expect(try HistogramEncoding.decode(HistogramEncoding.encode(Histogram())) == Histogram())
    }

    @Test("what is no encoded histogram is refused", arguments: ["", "!", "HISTFAAAAAA=", "HISTFAAAAAh4nGNgYGAAAA=="])
    func malformed(text: String) {
        #expect(throws: HistogramEncoding.Malformed.self) { try HistogramEncoding.decode(text) }
    }
}
