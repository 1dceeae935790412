/// A report as one HTML file that asks no other host for anything.
package struct ReportPage {
    private let report: Report

    package init(_ report: Report) { self.report = report }

    package var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>Load test of \(report.gateway.escaped)</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <main>
        <h1>Load test</h1>
        <p>\(facts.escaped)</p>
        \(summary)
        \(overTime)
        \(report.phases.map { Self.section($0) }.joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    private var facts: String {
        var facts = [report.gateway, report.startedAt, "\(report.people) people"]
        if !report.mix.isEmpty { facts.append("mix \(report.mix)") }
        if !report.answerTime.isEmpty { facts.append("answer time \(report.answerTime)") }
        if !report.wake.isEmpty { facts.append("phones woken by \(report.wake)") }
        return facts.joined(separator: " · ")
    }

    private var summary: String {
        let heads = [
            "Phase", "Load", "Completed", "A second", "Begin p99", "Answer to page p99", "Whole p50", "Whole p99",
            "Failures", "Reconnections", "Mismatches",
        ]
        let rows = report.phases.map { phase -> String in
            func time(_ latency: Latency, _ value: KeyPath<Percentiles, Double>) -> String {
                phase.latency[latency.rawValue].map { "\($0[keyPath: value].short) ms" } ?? "–"
            }
            let cells = [
                phase.name, phase.load, "\(phase.completed) of \(phase.offered)", phase.rate.short,
                time(.begin, \.p99), time(.answerToPage, \.p99), time(.whole, \.p50), time(.whole, \.p99),
                "\(phase.failed)", "\(phase.reconnected)", "\(phase.mismatched)",
            ]
            return "<tr>" + cells.map { "<td>\($0.escaped)</td>" }.joined() + "</tr>"
        }
        return "<div class=\"wide\"><table><tr>" + heads.map { "<th>\($0)</th>" }.joined() + "</tr>\n"
            + rows.joined(separator: "\n") + "</table></div>"
    }

    // MARK: over time

    private var overTime: String {
        guard report.phases.contains(where: { $0.timeline.count > 1 }) else { return "" }
        let throughput = LineChart(
            title: "Sign-ins a second", unit: "", horizontalUnit: "s",
            series: [
                .init(name: "completed", points: points { Double($0.completed) }),
                .init(name: "meant to begin", points: points { Double($0.offered) }),
                .init(name: "failed", points: points { Double($0.failed) }),
            ])
        let flight = LineChart(
            title: "Sign-ins under way", unit: "", horizontalUnit: "s",
            series: [.init(name: "in flight", points: points { Double($0.inFlight) })])
        return throughput.figure + latencies(.whole, "From begin to redeemed")
            + latencies(.answerToPage, "From the phone's answer to the page") + flight.figure
    }

    private func latencies(_ latency: Latency, _ title: String) -> String {
        let values: [(String, KeyPath<Percentiles, Double>)] = [("p50", \.p50), ("p90", \.p90), ("p99", \.p99)]
        return LineChart(
            title: title, unit: "ms", horizontalUnit: "s",
            series: values.map { name, value in
                .init(name: name, points: points { $0.latency[latency.rawValue]?[keyPath: value] })
            }
        ).figure
    }

    /// A point for each second that has a value, the phases one after another.
    private func points(_ value: (Slice) -> Double?) -> [(x: Double, y: Double)] {
        var offset = 0.0
        var points: [(x: Double, y: Double)] = []
        for phase in report.phases {
            points += phase.timeline.compactMap { slice in value(slice).map { (x: offset + slice.second, y: $0) } }
            offset += phase.seconds
        }
        return points
    }

    // MARK: one phase

    private static func section(_ phase: PhaseResult) -> String {
        var parts = ["<section><h2>\(phase.name.escaped)</h2>"]
        let histograms = Latency.allCases.compactMap { latency in
            phase.histograms[latency.rawValue].flatMap { try? HistogramEncoding.decode($0) }.map {
                LineChart.Series(name: latency.rawValue, points: distribution(of: $0))
            }
        }
        parts.append(
            LineChart(
                title: "How many took how long, up to the 99.9th percentile", unit: "%", horizontalUnit: "ms",
                series: histograms
            ).figure)
        for (title, counts) in [
            ("Outcomes", phase.outcomes), ("Failures", phase.failures), ("Reconnections", phase.reconnections),
            ("Mismatches", phase.mismatches),
        ] where !counts.isEmpty {
            let rows = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                "<tr><td>\($0.key.escaped)</td><td>\($0.value)</td></tr>"
            }
            parts.append("<h3>\(title)</h3><table>\(rows.joined())</table>")
        }
        return parts.joined(separator: "\n") + "</section>"
    }

    /// The share of each of so many equal steps of time.
    private static func distribution(of histogram: Histogram) -> [(x: Double, y: Double)] {
        let steps = 80
        let end = max(Double(histogram.value(at: 0.999)), 1)
        var shares = [Double](repeating: 0, count: steps)
        for (index, count) in histogram.counts.enumerated() where count > 0 {
            let step = Int(Double(Histogram.range(at: index).lowerBound) / end * Double(steps))
            if step < steps { shares[step] += Double(count) / Double(histogram.count) * 100 }
        }
        return shares.enumerated().map { (x: (Double($0.offset) + 0.5) * end / Double(steps) / 1000, y: $0.element) }
    }

    private static let style = """
        :root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6775; --rule: #d9dfe5; --ground: #fbfcfd;
          --one: #1f6feb; --two: #8a94a0; --three: #c0392b; --four: #6f42c1; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --soft: #9aa6b2; --rule: #303a45; --ground: #12171d;
          --one: #6ea8fe; --two: #8a94a0; --three: #ff7b72; --four: #b392f0; } }
        body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; }
        h1, h2, h3 { font-weight: 600; line-height: 1.2; } h2 { margin-top: 2.5rem; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        .wide { overflow-x: auto; }
        th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
        th { color: var(--soft); font-weight: 500; }
        figure { margin: 2rem 0 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
        svg text { fill: var(--soft); font-size: 11px; } .left { text-anchor: end; } .middle { text-anchor: middle; }
        .grid { stroke: var(--rule); } polyline { fill: none; stroke-width: 1.6; }
        .line-1 { stroke: var(--one); } .line-2 { stroke: var(--two); } .line-3 { stroke: var(--three); } .line-4 { stroke: var(--four); }
        .legend { margin: 0; color: var(--soft); } .legend span::before { content: "— "; font-weight: 700; }
        .key-1::before { color: var(--one); } .key-2::before { color: var(--two); } .key-3::before { color: var(--three); }
        .key-4::before { color: var(--four); }
        """
}
