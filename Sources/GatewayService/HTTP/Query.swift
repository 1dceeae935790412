import DeviceAPI
import Domain
import SwiftProtobuf
import Wire

/// The decoded query of a URL (RFC 3986 section 3.4); of a name that occurs twice the first counts.
struct Query: Sendable {
    private let values: [String: String]
    /// As it was sent.
    let text: String

    /// Throws `malformed` for a broken escape or bytes that are not UTF-8.
    init(_ text: some StringProtocol) throws(ServiceError) {
        var values: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentText.decode(parts[0], plusIsSpace: true),
                let value = PercentText.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { throw ServiceError(.malformed, "the query is not percent-encoded UTF-8") }
            if values[name] == nil { values[name] = value }
        }
        self.values = values
        self.text = String(text)
    }

    subscript(_ name: String) -> String? { values[name] }

    /// `wait`: whole seconds, 0 to 30, 0 when absent.
    var wait: Duration {
        get throws(ServiceError) { .seconds(try integer("wait", in: 0...APILimits.waitSecondsMax) ?? 0) }
    }

    /// `cursor` and `limit` of a list.
    var page: PageQuery {
        get throws(ServiceError) {
            let limit = try integer("limit", in: 1...APILimits.pageMax) ?? APILimits.pageDefault
            return PageQuery.with {
                $0.cursor = values["cursor"] ?? ""
                $0.limit = UInt32(limit)
            }
        }
    }

    /// An RFC 3339 time.
    func time(_ name: String) throws(ServiceError) -> Timestamp? {
        guard let text = values[name], !text.isEmpty else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw ServiceError(.malformed, "\(name) is not an RFC 3339 time")
        }
        return time
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(ServiceError) -> Int? {
        guard let text = values[name] else { return nil }
        guard text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text),
            range.contains(value)
        else {
            throw ServiceError(
                .malformed, "\(name) is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}

/// Percent-encoding (RFC 3986 section 2.1).
enum PercentText {
    /// Keeps unreserved characters (RFC 3986 section 2.3) and, where it may stand, the slash (section 3.4).
    static func encode(_ text: String, keepingSlash: Bool = false) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.append(Character(Unicode.Scalar(byte)))
            case 0x2F where keepingSlash: result.append("/")
            default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    /// Nil for a broken escape, a zero byte, or bytes that are not UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var source = Array(text.utf8)[...]
        while let byte = source.popFirst() {
            switch byte {
            case 0x25:
                let digits = source.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
                guard digits.count == 2, digits != [0, 0] else { return nil }
                bytes.append(UInt8(digits[0] << 4 | digits[1]))
                source = source.dropFirst(2)
            case 0x2B where plusIsSpace: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
