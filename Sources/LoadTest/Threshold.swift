/// What a run must not come to: `p99(answer_to_page) > 50ms`, `failures > 0`, `failures > 1%`, `rate < 100/s`, each also for one phase
/// alone: `rate < 100/s in soak`.
package struct Threshold: Sendable, Equatable, CustomStringConvertible {
    enum Quantity: Equatable, Sendable {
        case latency(Statistic, Latency)
        case count(Count)
        /// Of the sign-ins that were meant to begin.
        case share(Count)
        case rate
    }

    enum Statistic: String, CaseIterable, Sendable { case p50, p90, p99, p999, max, mean }
    enum Count: String, CaseIterable, Sendable {
        case failures, reconnections, mismatches, late
        case notStarted = "not_started"
    }
    enum Comparison: String, CaseIterable, Sendable {
        case atLeast = ">="
        case atMost = "<="
        case over = ">"
        case under = "<"
    }

    /// As it was given.
    package let description: String
    let quantity: Quantity
    let comparison: Comparison
    /// In milliseconds, sign-ins a second, or as a count or share.
    let bound: Double
    package let phase: String?

    private static let grammar =
        "p50, p90, p99, p999, max or mean of (begin), (answer_to_page), (whole) or (request) with ms or s; failures, reconnections,"
        + " mismatches, late or not_started with a count or %; rate with /s; then [in PHASE], as in 'p99(answer_to_page) > 50ms' or 'rate < 100/s in soak'"

    package init(_ text: String) throws(ScenarioError) {
        let fault = ScenarioError("'\(text)' is no threshold: \(Self.grammar)")
        let parts = text.split(separator: " in ", maxSplits: 1).map(\.trimmed)
        guard let condition = parts.first,
            let comparison = Comparison.allCases.first(where: { condition.contains($0.rawValue) })
        else { throw fault }
        let sides = condition.split(separator: comparison.rawValue, omittingEmptySubsequences: false).map(\.trimmed)
        guard sides.count == 2, let (quantity, bound) = Self.read(sides[0], sides[1]) else { throw fault }
        description = text
        self.quantity = quantity
        self.comparison = comparison
        self.bound = bound
        phase = parts.count > 1 ? parts[1] : nil
    }

    private static func read(_ name: String, _ value: String) -> (Quantity, Double)? {
        func number(_ unit: String) -> Double? {
            guard value.hasSuffix(unit), let number = Double(value.dropLast(unit.count).trimmed), number.isFinite,
                number >= 0
            else { return nil }
            return number
        }
        if name == "rate" { return number("/s").map { (.rate, $0) } }
        if let count = Count(rawValue: name) {
            if let percent = number("%") { return (.share(count), percent / 100) }
            return number("").map { (.count(count), $0) }
        }
        guard name.hasSuffix(")"), let open = name.firstIndex(of: "("),
            let statistic = Statistic(rawValue: String(name[..<open])),
            let latency = Latency(rawValue: String(name[name.index(after: open)...].dropLast()))
        else { return nil }
        let milliseconds = number("ms") ?? number("s").map { $0 * 1000 }
        return milliseconds.map { (.latency(statistic, latency), $0) }
    }

    /// What is wrong with the report, a sentence for each phase that is over; empty when the threshold holds. A threshold about what was
    /// never measured does not hold.
    package func violations(in report: Report) -> [String] {
        let phases = report.phases.filter { phase == nil || $0.name == phase }
        guard !phases.isEmpty else { return ["\(description): there is no phase of that name"] }
        return phases.compactMap { phase in
            guard let value = value(in: phase) else { return "\(description): phase \(phase.name) has no such figure" }
            return isReached(by: value) ? "\(description): it is \(words(value)) in phase \(phase.name)" : nil
        }
    }

    private func value(in phase: PhaseResult) -> Double? {
        switch quantity {
        case .rate: return phase.rate
        case .count(let count): return Double(Self.number(count, phase))
        case .share(let count):
            return phase.offered > 0 ? Double(Self.number(count, phase)) / Double(phase.offered) : nil
        case .latency(let statistic, let latency):
            guard let times = phase.latency[latency.rawValue] else { return nil }
            return switch statistic {
            case .p50: times.p50
            case .p90: times.p90
            case .p99: times.p99
            case .p999: times.p999
            case .max: times.max
            case .mean: times.mean
            }
        }
    }

    private static func number(_ count: Count, _ phase: PhaseResult) -> Int {
        switch count {
        case .failures: phase.failed
        case .reconnections: phase.reconnected
        case .mismatches: phase.mismatched
        case .late: phase.late
        case .notStarted: phase.notStarted
        }
    }

    private func isReached(by value: Double) -> Bool {
        switch comparison {
        case .atLeast: value >= bound
        case .atMost: value <= bound
        case .over: value > bound
        case .under: value < bound
        }
    }

    private func words(_ value: Double) -> String {
        switch quantity {
        case .latency: "\(value) ms"
        case .rate: "\(value.short)/s"
        case .share: "\((value * 100).short)%"
        case .count: "\(Int(value))"
        }
    }
}
