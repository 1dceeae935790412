import Domain
import Logging

/// One JSON object on one line (RFC 8259), written member by member.
struct JSONLine {
    private static let reserved: Set<String> = ["ts", "level", "service", "instance", "msg"]

    private var members = ""

    var text: String { "{" + members + "}\n" }

    mutating func add(_ name: String, string: String) { member(name, JSONValue.quoted(string)) }

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
        members += JSONValue.quoted(name)
        members += ":"
        members += json
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): JSONValue.quoted(text)
        case .stringConvertible(let convertible): JSONValue.quoted(convertible.description)
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let inner):
            "{"
                + inner.sorted { $0.key < $1.key }.map { JSONValue.quoted($0.key) + ":" + json($0.value) }.joined(
                    separator: ",")
                + "}"
        }
    }
}
