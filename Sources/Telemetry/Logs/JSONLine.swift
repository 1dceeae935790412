import Domain
import Logging

/// One JSON object on one line (RFC 8259), written member by member.
struct JSONLine {
    private static let reserved: Set<String> = ["ts", "level", "service", "instance", "msg"]

    private var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(512)
        bytes.append(UInt8(ascii: "{"))
    }

    var text: String { String(decoding: bytes, as: UTF8.self) + "}\n" }

    mutating func add(_ name: String, string: String) {
        begin(name)
        JSONValue.appendQuoted(string, to: &bytes)
    }

    /// Metadata in the order of its keys.
    mutating func add(_ metadata: Logger.Metadata, prefix: String = "") {
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let name = prefix + key
            if case .dictionary(let inner) = value {
                add(inner, prefix: name + ".")
            } else {
                begin(Self.reserved.contains(name) ? name + "_" : name)
                append(value)
            }
        }
    }

    private mutating func begin(_ name: String) {
        separate()
        JSONValue.appendQuoted(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    /// A comma, unless nothing precedes what follows.
    private mutating func separate() {
        guard let last = bytes.last, !"{[".utf8.contains(last) else { return }
        bytes.append(UInt8(ascii: ","))
    }

    private mutating func append(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): JSONValue.appendQuoted(text, to: &bytes)
        case .stringConvertible(let convertible): JSONValue.appendQuoted(convertible.description, to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for value in values {
                separate()
                append(value)
            }
            bytes.append(UInt8(ascii: "]"))
        case .dictionary(let inner):
            bytes.append(UInt8(ascii: "{"))
            for (key, value) in inner.sorted(by: { $0.key < $1.key }) {
                begin(key)
                append(value)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}
