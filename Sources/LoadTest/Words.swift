/// What is wrong with an option, as a sentence for the operator.
package struct ScenarioError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension StringProtocol {
    /// Without blanks at both ends.
    var trimmed: String {
        let kept = drop { $0.isWhitespace }
        return String(kept[..<(kept.lastIndex { !$0.isWhitespace }.map { kept.index(after: $0) } ?? kept.startIndex)])
    }
}

extension Double {
    /// With one decimal where it is needed.
    package var short: String {
        let rounded = (self * 10).rounded() / 10
        return Int(exactly: rounded).map(String.init) ?? String(rounded)
    }
}

extension Duration {
    package var inSeconds: Double { self / .seconds(1) }

    /// `30s`, `500ms`, `5m` or `2h`; a number may have decimals. Nil for anything else and for what is not over 0.
    package init?(_ text: some StringProtocol) {
        let units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
        for (unit, seconds) in units where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number > 0, number * seconds <= 1_000_000 else {
                return nil
            }
            self = .seconds(number * seconds)
            return
        }
        return nil
    }
}
