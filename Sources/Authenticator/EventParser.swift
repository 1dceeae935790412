import Foundation

/// One event of a `text/event-stream`.
struct ServerSentEvent: Hashable, Sendable {
    var name: String
    var data: String
}

/// Reads server-sent events (WHATWG HTML section 9.2.6) from pieces that are cut anywhere, also inside a character or between
/// CR and LF.
struct EventParser {
    /// A line longer than this is no event of this contract: bodies are at most 64 KiB.
    static let lineBytesMax = 256 * 1024

    private var line: [UInt8] = []
    private var lastWasCarriageReturn = false
    private var isFirstLine = true
    private var name = ""
    private var data: [String] = []
    private var dataBytes = 0

    /// Takes the next piece and returns the events that it completed. Throws `unexpectedReply` for an event that is too long.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(AuthenticatorError) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            defer { lastWasCarriageReturn = byte == 0x0D }
            switch byte {
            case 0x0A where lastWasCarriageReturn: continue
            case 0x0A, 0x0D: if let event = endLine() { events.append(event) }
            default:
                guard line.count + dataBytes < Self.lineBytesMax else { throw .unexpectedReply }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        var bytes = line[...]
        line.removeAll(keepingCapacity: true)
        // A byte order mark may stand before the first line only.
        if isFirstLine, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        isFirstLine = false
        guard !bytes.isEmpty else { return dispatch() }
        let field = bytes.prefix { $0 != 0x3A }
        var value = bytes.dropFirst(field.count + 1)
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: field, as: UTF8.self) {
        case "event": name = String(decoding: value, as: UTF8.self)
        case "data":
            data.append(String(decoding: value, as: UTF8.self))
            dataBytes += value.count + 1
        default: break  // A comment has an empty field name; `id` and `retry` mean nothing in this contract.
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            name = ""
            data = []
            dataBytes = 0
        }
        guard !data.isEmpty else { return nil }
        return ServerSentEvent(name: name.isEmpty ? "message" : name, data: data.joined(separator: "\n"))
    }
}
