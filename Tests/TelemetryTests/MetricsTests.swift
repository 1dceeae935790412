import Testing

@testable import Telemetry

@Suite struct MetricsTests {
    @Test("the exposition is what Prometheus reads")
    func exposition() {
        let registry = MetricsRegistry()
        let plain = registry.counter("countersign_b_total", help: "Plain.")
        plain.increment()
        plain.increment(by: 2)
        let labelled = registry.gauge("countersign_a", help: "Of \\ and\nlines.", labels: ["kind", "place"])
        labelled.set(1.5, "x\"y", "a\\b\nc")
        labelled.set(-2, "a", "b")
        registry.gauge("countersign_c_bytes", help: "Read.") { 7 }
        let latency = registry.histogram("countersign_d_seconds", help: "Times.", buckets: [0.1, 1])
        latency.observe(.milliseconds(100))
        latency.observe(0.5)
        latency.observe(3)
        #expect(
            registry.exposition() == """
                # HELP countersign_a Of \\\\ and\\nlines.
                # TYPE countersign_a gauge
                countersign_a{kind="a",place="b"} -2
                countersign_a{kind="x\\"y",place="a\\\\b\\nc"} 1.5
                # HELP countersign_b_total Plain.
                # TYPE countersign_b_total counter
                countersign_b_total 3
                # HELP countersign_c_bytes Read.
                # TYPE countersign_c_bytes gauge
                countersign_c_bytes 7
                # HELP countersign_d_seconds Times.
                # TYPE countersign_d_seconds histogram
                countersign_d_seconds_bucket{le="0.1"} 1
                countersign_d_seconds_bucket{le="1"} 2
                countersign_d_seconds_bucket{le="+Inf"} 3
                countersign_d_seconds_sum 3.6
                countersign_d_seconds_count 3

                """)
    }

    @Test("the same declaration is the same metric")
    func sameMetric() {
        let registry = MetricsRegistry()
        for _ in 0..<2 { registry.counter("countersign_a_total", help: "A.", labels: ["l"]).increment("x") }
        #expect(registry.exposition().contains("countersign_a_total{l=\"x\"} 2\n"))
    }

    @Test("labels that were not closed cannot take the memory")
    func boundedSeries() {
        let registry = MetricsRegistry()
        let counter = registry.counter("countersign_a_total", help: "A.", labels: ["l"])
        for number in 0..<5_000 { counter.increment("\(number)") }
        let lines = registry.exposition().split(separator: "\n")
        #expect(lines.count == ValueSamples.seriesMax + 3)
        #expect(lines.contains("countersign_a_total{l=\"other\"} 4000"))
    }

    @Test("counts from many tasks add up")
    func concurrency() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("countersign_a_total", help: "A.", labels: ["l"])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<1_000 { counter.increment("x") } } }
        }
        #expect(registry.exposition().hasSuffix("countersign_a_total{l=\"x\"} 8000\n"))
    }

    @Test("a process tells what the system counts for it")
    func process() {
        let registry = MetricsRegistry()
        ProcessMetrics.register(in: registry, startedAt: 5)
        let text = registry.exposition()
        #expect(text.contains("process_start_time_seconds 5\n") && !text.contains("NaN"))
    }
}
