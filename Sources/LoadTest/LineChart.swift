/// Lines over time as an SVG, coloured by the page's style sheet: `line-1` is the class of the first series.
struct LineChart {
    struct Series {
        let name: String
        let points: [(x: Double, y: Double)]
    }

    private static let width = 860.0
    private static let height = 220.0
    private static let margin = (left: 64.0, right: 8.0, top: 10.0, bottom: 24.0)
    private static let lines = 4

    let title: String
    /// Seconds, milliseconds, …: stands behind the numbers.
    let unit: String
    let horizontalUnit: String
    let series: [Series]

    var svg: String {
        let points = series.flatMap(\.points)
        let right = max(points.map { $0.x }.max() ?? 0, 1e-9)
        let top = Self.ceiling(points.map { $0.y }.max() ?? 0)
        var parts = [
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(title.escaped)\">"
        ]
        for line in 0...Self.lines {
            let value = top * Double(line) / Double(Self.lines)
            let y = Self.y(value, top)
            parts.append(
                "<line class=\"grid\" x1=\"\(Self.margin.left)\" x2=\"\(Self.width - Self.margin.right)\" y1=\"\(y.short)\" y2=\"\(y.short)\"/>"
                    + "<text class=\"left\" x=\"\(Self.margin.left - 6)\" y=\"\((y + 4).short)\">\(value.short) \(unit)</text>"
            )
            let x = right * Double(line) / Double(Self.lines)
            parts.append(
                "<text class=\"\(line == 0 ? "first" : line == Self.lines ? "left" : "middle")\" x=\"\(Self.x(x, right).short)\""
                    + " y=\"\(Self.height - 6)\">\(x.short) \(horizontalUnit)</text>")
        }
        for (index, line) in series.enumerated() where !line.points.isEmpty {
            let path = line.points.map { "\(Self.x($0.x, right).short),\(Self.y($0.y, top).short)" }
            parts.append("<polyline class=\"line-\(index + 1)\" points=\"\(path.joined(separator: " "))\"/>")
        }
        return parts.joined(separator: "\n") + "\n</svg>"
    }

    /// What each colour is.
    var legend: String {
        "<p class=\"legend\">"
            + series.enumerated().map { "<span class=\"key-\($0.offset + 1)\">\($0.element.name.escaped)</span>" }
            .joined(separator: " ") + "</p>"
    }

    var figure: String { "<figure><figcaption>\(title.escaped)</figcaption>\n\(svg)\n\(legend)</figure>" }

    private static func x(_ value: Double, _ right: Double) -> Double {
        margin.left + value / right * (width - margin.left - margin.right)
    }

    private static func y(_ value: Double, _ top: Double) -> Double {
        height - margin.bottom - value / top * (height - margin.top - margin.bottom)
    }

    /// The next of 1, 2 and 5 times a power of ten.
    private static func ceiling(_ value: Double) -> Double {
        var step = 0.001
        while step < 1e12 {
            for factor in [1.0, 2, 5] where step * factor >= value { return step * factor }
            step *= 10
        }
        return step
    }
}

extension String {
    /// For HTML text and attributes.
    var escaped: String {
        reduce(into: "") { text, character in
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            default: text.append(character)
            }
        }
    }
}
