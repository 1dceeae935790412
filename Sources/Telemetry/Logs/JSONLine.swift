import Logging

/// One JSON object on one line (RFC 8259), written member by member.
struct JSONLine {
    private static let reserved: Set<String> = ["ts", "level", "service", "instance", "msg"]

    private var members = ""

    var text: String { "{" + members + "}\n" }

    mutating func add(_ name: String, string: String) { member(name, Self.quoted(string)) }

    /// Metadata in the order of its keys.
    mutating func add(_ metadata: Logger.Metadata, prefix: String = "") {
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let name = prefix + key
            switch value {
            case .dictionary(let inner): add(inner, prefix: name + ".")
            default: member(Self.reserved.contains(name) ? name + "_" : name, Self.json(value))
            }
        }
    }

    private mutating func member(_ name: String, _ json: String) {
        if !members.isEmpty { members += "," }
        members += Self.quoted(name)
        members += ":"
        members += json
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let convertible): quoted(convertible.description)
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let inner):
            "{" + inner.sorted { $0.key < $1.key }.map { quoted($0.key) + ":" + json($0.value) }.joined(separator: ",")
                + "}"
        }
    }

    /// Escapes what RFC 8259 section 7 asks for, and U+2028, U+2029 and U+0085, which some readers of lines take for line breaks.
    private static func quoted(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        {
            return "\"" + text + "\""
        }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
