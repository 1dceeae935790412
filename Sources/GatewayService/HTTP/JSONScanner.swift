import DeviceAPI
import Wire

/// Looks a JSON text over before it is decoded: one value and nothing after it, valid UTF-8, no member twice, no member that the
/// body does not have, and no nesting deep enough to cost anything. Two readers could see two documents in anything less.
struct JSONScanner {
    static let depthMax = 32

    private let bytes: [UInt8]
    private var index = 0

    /// Throws `malformed`, or `unknown_member` with the member's path.
    static func check(_ bytes: [UInt8], against shape: BodyShape) throws(ServiceError) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw malformed("the body is not UTF-8") }
        var scanner = JSONScanner(bytes: bytes)
        scanner.skipSpace()
        if case .object = shape, scanner.peek() != 0x7B { throw malformed("the body is not a JSON object") }
        try scanner.value(shape, path: "", depth: 0)
        scanner.skipSpace()
        guard scanner.index == bytes.count else { throw malformed("something follows the JSON value") }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private static func malformed(_ detail: String) -> ServiceError { ServiceError(.malformed, detail) }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(ServiceError) {
        guard peek() == byte else { throw Self.malformed("the body is not JSON") }
        index += 1
    }

    private mutating func value(_ shape: BodyShape, path: String, depth: Int) throws(ServiceError) {
        guard depth <= Self.depthMax else { throw Self.malformed("the body is nested too deeply") }
        skipSpace()
        switch peek() {
        case 0x7B: try object(shape, path: path, depth: depth)
        case 0x5B: try array(shape, path: path, depth: depth)
        case 0x22: _ = try string()
        case 0x74: try literal("true")
        case 0x66: try literal("false")
        case 0x6E: try literal("null")
        default: try number()
        }
    }

    private mutating func object(_ shape: BodyShape, path: String, depth: Int) throws(ServiceError) {
        try expect(0x7B)
        var seen: Set<String> = []
        skipSpace()
        if peek() == 0x7D {
            index += 1
            return
        }
        while true {
            skipSpace()
            let name = try string()
            let here = path.isEmpty ? name : "\(path).\(name)"
            guard seen.insert(name).inserted else {
                throw Self.malformed("the member \(Self.shown(here)) occurs twice")
            }
            let inner = try Self.member(name, of: shape, path: here)
            skipSpace()
            try expect(0x3A)
            try value(inner, path: here, depth: depth + 1)
            skipSpace()
            if peek() == 0x2C { index += 1 } else { return try expect(0x7D) }
        }
    }

    private static func member(_ name: String, of shape: BodyShape, path: String) throws(ServiceError) -> BodyShape {
        guard case .object(let members) = shape else { return .open }
        guard let inner = members[name] else {
            throw ServiceError(
                .unknownMember, "there is no member \(shown(path)) here", members: ["member": shown(path)])
        }
        return inner
    }

    /// A member's path as a problem document may repeat it: short, and without control characters.
    private static func shown(_ path: String) -> String {
        String(
            String.UnicodeScalarView(
                path.unicodeScalars.prefix(100).filter { $0.properties.generalCategory != .control }))
    }

    private mutating func array(_ shape: BodyShape, path: String, depth: Int) throws(ServiceError) {
        try expect(0x5B)
        var element = BodyShape.open
        if case .array(let inner) = shape { element = inner }
        skipSpace()
        if peek() == 0x5D {
            index += 1
            return
        }
        var position = 0
        while true {
            try value(element, path: "\(path)[\(position)]", depth: depth + 1)
            position += 1
            skipSpace()
            if peek() == 0x2C { index += 1 } else { return try expect(0x5D) }
        }
    }

    private mutating func literal(_ text: StaticString) throws(ServiceError) {
        for byte in text.description.utf8 { try expect(byte) }
    }

    private mutating func number() throws(ServiceError) {
        // RFC 8259 section 6. Exactly, also where nobody reads the number: what two readers could read differently is refused.
        if peek() == 0x2D { index += 1 }
        if peek() == 0x30 { index += 1 } else { try digits() }
        if peek() == 0x2E {
            index += 1
            try digits()
        }
        guard peek() == 0x45 || peek() == 0x65 else { return }
        index += 1
        if peek() == 0x2B || peek() == 0x2D { index += 1 }
        try digits()
    }

    private mutating func digits() throws(ServiceError) {
        let start = index
        while let byte = peek(), (0x30...0x39).contains(byte) { index += 1 }
        guard index > start else { throw Self.malformed("the body is not JSON") }
    }

    /// Reads a string with its escapes undone, so that `"a"` and its escaped spelling are the same member.
    private mutating func string() throws(ServiceError) -> String {
        try expect(0x22)
        var units: [UInt8] = []
        while let byte = peek() {
            index += 1
            switch byte {
            case 0x22: return String(decoding: units, as: UTF8.self)
            case 0x5C: try units.append(contentsOf: escape())
            case 0..<0x20: throw Self.malformed("a string holds a control character")
            default: units.append(byte)
            }
        }
        throw Self.malformed("a string does not end")
    }

    private mutating func escape() throws(ServiceError) -> [UInt8] {
        guard let byte = peek() else { throw Self.malformed("a string does not end") }
        index += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: return [byte]
        case 0x62: return [0x08]
        case 0x66: return [0x0C]
        case 0x6E: return [0x0A]
        case 0x72: return [0x0D]
        case 0x74: return [0x09]
        case 0x75: return try codePoint()
        default: throw Self.malformed("a string holds an unknown escape")
        }
    }

    private mutating func codePoint() throws(ServiceError) -> [UInt8] {
        let first = try hexadecimal()
        var value = first
        if (0xD800..<0xDC00).contains(first) {
            try expect(0x5C)
            try expect(0x75)
            let second = try hexadecimal()
            guard (0xDC00..<0xE000).contains(second) else { throw Self.malformed("a string holds half a character") }
            value = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        // No text of ours has U+0000, and a store may not take it.
        guard value != 0 else { throw Self.malformed("a string holds U+0000") }
        guard let scalar = Unicode.Scalar(value) else { throw Self.malformed("a string holds half a character") }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimal() throws(ServiceError) -> UInt32 {
        guard index + 4 <= bytes.count, bytes[index..<index + 4].allSatisfy({ Self.isHexadecimal($0) }),
            let value = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
        else { throw Self.malformed("a string holds an unknown escape") }
        index += 4
        return value
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
