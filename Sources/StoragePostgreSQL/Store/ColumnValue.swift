/// A value as it travels to and from a column, in PostgreSQL's binary format: exact, and without quoting.
protocol ColumnValue {
    /// Nil for bytes that are no such value.
    init?(column bytes: UnsafeRawBufferPointer)
    func append(to bytes: inout [UInt8])
}

/// BIGINT; what is narrower is read too, because some functions give no more.
extension Int64: ColumnValue {
    init?(column bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 8: self.init(bigEndian: bytes.loadUnaligned(as: Int64.self))
        case 4: self.init(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        default: return nil
        }
    }

    func append(to bytes: inout [UInt8]) { withUnsafeBytes(of: bigEndian) { bytes.append(contentsOf: $0) } }
}

extension Int: ColumnValue {
    init?(column bytes: UnsafeRawBufferPointer) {
        guard let wide = Int64(column: bytes) else { return nil }
        self.init(exactly: wide)
    }

    func append(to bytes: inout [UInt8]) { Int64(self).append(to: &bytes) }
}

extension Bool: ColumnValue {
    init?(column bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 1, let byte = bytes.first else { return nil }
        self = byte != 0
    }

    func append(to bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
}

/// TEXT. The server refuses U+0000.
extension String: ColumnValue {
    init?(column bytes: UnsafeRawBufferPointer) { self.init(validating: bytes, as: UTF8.self) }
    func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

/// BYTEA.
extension [UInt8]: ColumnValue {
    init?(column bytes: UnsafeRawBufferPointer) { self.init(bytes) }
    func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: self) }
}

/// TEXT[], so that a statement's text does not depend on the length of a list. It is only sent.
struct TextArray: ColumnValue {
    /// pg_type.oid of TEXT.
    private static let textType: Int32 = 25
    private let elements: [String]

    init(_ elements: [String]) { self.elements = elements }

    init?(column bytes: UnsafeRawBufferPointer) { nil }

    /// Dimensions, whether an element is NULL, type, length, first index; then each element with its length.
    func append(to bytes: inout [UInt8]) {
        func append(_ number: Int32) { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
        for number in [elements.isEmpty ? 0 : 1, 0, Self.textType] { append(number) }
        if elements.isEmpty { return }
        for number in [Int32(elements.count), 1] { append(number) }
        for element in elements {
            append(Int32(element.utf8.count))
            bytes.append(contentsOf: element.utf8)
        }
    }
}

/// The values of one statement, side by side in one buffer, as libpq takes them.
struct Parameters {
    // The first byte is nobody's, so that an empty value has an address too: to libpq none means NULL.
    private var bytes: [UInt8] = [0]
    private var spans: [Range<Int>?] = []

    init(_ values: [(any ColumnValue)?]) {
        for value in values {
            guard let value else {
                spans.append(nil)
                continue
            }
            let start = bytes.count
            value.append(to: &bytes)
            spans.append(start..<bytes.count)
        }
        bytes.append(0)
    }

    /// The pointers are good while `body` runs; libpq copies what it sends.
    func withPointers<Result>(
        _ body: (_ count: Int32, _ values: [UnsafePointer<CChar>?], _ lengths: [Int32], _ formats: [Int32]) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { buffer in
            let values = spans.map { span in
                span.flatMap { buffer.baseAddress?.advanced(by: $0.lowerBound).assumingMemoryBound(to: CChar.self) }
            }
            let binary = [Int32](repeating: 1, count: spans.count)
            return body(Int32(spans.count), values, spans.map { Int32($0?.count ?? 0) }, binary)
        }
    }
}
