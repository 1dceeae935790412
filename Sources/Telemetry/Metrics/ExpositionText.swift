/// Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
struct ExpositionText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    mutating func head(_ declaration: MetricDeclaration) {
        text += "# HELP \(declaration.name) \(Self.escaped(declaration.help, quotes: false))\n"
        text += "# TYPE \(declaration.name) \(declaration.kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { name, value in "\(name)=\"\(Self.escaped(value, quotes: true))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    mutating func distribution(
        _ name: String, _ labels: [(String, String)], _ bounds: [Double], _ distribution: Distribution
    ) {
        var count: UInt64 = 0
        for (bound, inBucket) in zip(bounds + [.infinity], distribution.counts) {
            count += inBucket
            sample(name + "_bucket", labels + [("le", Self.number(bound))], Double(count))
        }
        sample(name + "_sum", labels, distribution.sum)
        sample(name + "_count", labels, Double(count))
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

extension MetricsRegistry {
    /// The media type of `exposition()`.
    package static var contentType: String { ExpositionText.contentType }
}
