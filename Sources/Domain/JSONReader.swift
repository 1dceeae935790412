/// Why a text is not the JSON that this product reads.
package enum JSONFault: Error, Hashable, Sendable {
    /// Not JSON (RFC 8259), at this byte.
    case syntax(at: Int)
    /// One object names a member twice: two readers of it could see two documents.
    case duplicateMember(String)
    /// Nested deeper than its reader takes.
    case tooDeep
    /// A string has U+0000 (a reader may limit the contents of strings, RFC 8259 section 9): PostgreSQL keeps no such text, and
    /// readers in C would see the text end there.
    case zeroCharacter

    /// What is wrong with `text`, e.g. "the body", as a sentence that its sender may see.
    package func detail(of text: String) -> String {
        switch self {
        case .syntax(let index): "\(text) is not JSON at byte \(index)"
        case .duplicateMember(let name): "\(text) has the member \(name.asMemberName) twice"
        case .tooDeep: "\(text) is nested too deeply"
        case .zeroCharacter: "\(text) has the character U+0000"
        }
    }
}

extension JSONValue {
    /// Deep enough for every document here, shallow enough for any stack.
    package static let depthMax = 32

    /// Reads one JSON text in UTF-8, wholly. How long a text may be is for whoever takes it in to say. `depthMax` is how many levels may be
    /// inside one another.
    package init(parsing bytes: [UInt8], depthMax: Int = JSONValue.depthMax) throws(JSONFault) {
        var reader = JSONReader(bytes: bytes, depthMax: depthMax)
        self = try reader.document()
    }

    package init(parsing text: String) throws(JSONFault) { try self.init(parsing: Array(text.utf8)) }
}

/// A reader of RFC 8259 that refuses what is ambiguous. Recursion ends at `depthMax`.
private struct JSONReader {
    let bytes: [UInt8]
    let depthMax: Int
    var index = 0

    init(bytes: [UInt8], depthMax: Int) {
        self.bytes = bytes
        self.depthMax = depthMax
    }

    var fault: JSONFault { .syntax(at: index) }
    var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    mutating func document() throws(JSONFault) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw fault }
        return value
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    mutating func expect(_ word: StaticString, _ value: JSONValue) throws(JSONFault) -> JSONValue {
        for byte in UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount) {
            guard next == byte else { throw fault }
            index += 1
        }
        return value
    }

    mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
        guard depth < depthMax else { throw .tooDeep }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try expect("true", .bool(true))
        case UInt8(ascii: "f"): return try expect("false", .bool(false))
        case UInt8(ascii: "n"): return try expect("null", .null)
        default: return try number()
        }
    }

    mutating func object(depth: Int) throws(JSONFault) -> JSONValue {
        index += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            let name = try string()
            skipSpace()
            guard take(":") else { throw fault }
            guard members.updateValue(try value(depth: depth + 1), forKey: name) == nil else {
                throw .duplicateMember(name)
            }
            skipSpace()
        } while take(",")
        guard take("}") else { throw fault }
        return .object(members)
    }

    mutating func array(depth: Int) throws(JSONFault) -> JSONValue {
        index += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw fault }
        return .array(elements)
    }

    mutating func digits() -> Int {
        let start = index
        while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
        return index - start
    }

    mutating func number() throws(JSONFault) -> JSONValue {
        let start = index
        _ = take("-")
        let first = next
        let count = digits()
        guard count > 0, count == 1 || first != UInt8(ascii: "0") else { throw fault }
        var isWhole = true
        if take(".") {
            isWhole = false
            guard digits() > 0 else { throw fault }
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw fault }
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw fault }
        return .number(value)
    }

    mutating func string() throws(JSONFault) -> String {
        guard take("\"") else { throw fault }
        var text: [UInt8] = []
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw fault }
                return string
            case UInt8(ascii: "\\"): try text.append(contentsOf: escaped())
            case 0..<0x20: throw fault
            default: text.append(byte)
            }
        }
        throw fault
    }

    mutating func escaped() throws(JSONFault) -> [UInt8] {
        guard let byte = next else { throw fault }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            let scalar = try escapedScalar()
            guard scalar != "\0" else { throw .zeroCharacter }
            return Array(scalar.utf8)
        default: throw fault
        }
    }

    /// `XXXX`, or a surrogate pair `XXXX\uXXXX`. A lone surrogate is no character.
    mutating func escapedScalar() throws(JSONFault) -> Unicode.Scalar {
        let high = try codeUnit()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard (0xD800..<0xDC00).contains(high), take("\\"), take("u") else { throw fault }
        let low = try codeUnit()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        else {
            throw fault
        }
        return scalar
    }

    mutating func codeUnit() throws(JSONFault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw fault }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}
