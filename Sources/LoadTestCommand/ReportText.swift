import Foundation
import LoadTest

/// A report in lines for a terminal.
enum ReportText {
    private static let failuresMax = 10
    private static let names: [(Latency, String)] = [
        (.begin, "POST to 201"), (.answerToPage, "answer to page"), (.whole, "whole sign-in"), (.request, "request"),
    ]

    static func text(of report: Report) -> String { report.phases.map { text(of: $0) }.joined(separator: "\n\n") }

    private static func text(of phase: PhaseResult) -> String {
        var lines = ["\(phase.name): \(phase.load)"]
        lines.append(line("completed", "\(phase.completed) of \(phase.offered), \(phase.rate.short) a second"))
        for (latency, name) in names {
            guard let times = phase.latency[latency.rawValue] else { continue }
            let quantiles = [
                ("p50", times.p50), ("p90", times.p90), ("p99", times.p99), ("p99.9", times.p999), ("max", times.max),
            ]
            lines.append(
                line(name, quantiles.map { "\($0.0) \($0.1.short)" }.joined(separator: ", ") + " ms"))
        }
        if phase.late + phase.notStarted > 0 {
            lines.append(line("nobody free", "\(phase.late) began late, \(phase.notStarted) not at all"))
        }
        if phase.outcomes.count > 1 {
            lines.append(
                line("outcomes", sorted(phase.outcomes).map { "\($0.key) \($0.value)" }.joined(separator: ", ")))
        }
        lines.append(
            line("HTTP requests", "\(phase.httpRequests), \(phase.httpRequestsPerSignIn.short) each"))
        lines.append(line("failures", "\(phase.failed)"))
        for (kind, count) in sorted(phase.failures).prefix(failuresMax) { lines.append("  \(count) x \(kind)") }
        if phase.reconnected > 0 {
            lines.append(line("reconnections", "\(phase.reconnected)"))
            for (kind, count) in sorted(phase.reconnections).prefix(failuresMax) {
                lines.append("  \(count) x \(kind)")
            }
        }
        if phase.mismatched > 0 {
            lines.append(line("MISMATCHES", "\(phase.mismatched)"))
            for (what, count) in sorted(phase.mismatches) { lines.append("  \(count) x \(what)") }
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ name: String, _ text: String) -> String {
        "  " + name.padding(toLength: 16, withPad: " ", startingAt: 0) + text
    }

    private static func sorted(_ counts: [String: Int]) -> [(key: String, value: Int)] {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    }
}
