import Domain

/// The `traceparent` header of W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/#traceparent-header).
package struct Traceparent: Hashable, Sendable, CustomStringConvertible {
    package let traceHigh: UInt64
    package let traceLow: UInt64
    package let span: UInt64
    package let isSampled: Bool

    package init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, isSampled: Bool) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.isSampled = isSampled
    }

    /// Nil for a header that the standard says to ignore: not of its form, version ff, an all-zero trace or parent.
    package init?(_ header: String) {
        let bytes = Array(header.utf8)
        // A later version may have more after another dash; version 00 may not.
        guard bytes.count == 55 || (bytes.count > 55 && bytes[55] == 0x2D && header.prefix(2) != "00"),
            bytes[2] == 0x2D, bytes[35] == 0x2D, bytes[52] == 0x2D,
            let version = Self.hex(bytes[0..<2]), version != 0xFF,
            let high = Self.hex(bytes[3..<19]), let low = Self.hex(bytes[19..<35]),
            let span = Self.hex(bytes[36..<52]), let flags = Self.hex(bytes[53..<55]), high | low != 0, span != 0
        else { return nil }
        self.init(traceHigh: high, traceLow: low, span: span, isSampled: flags & 1 == 1)
    }

    package var description: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

    /// 32 lower-case hexadecimal digits.
    package var traceID: String { traceHigh.hexadecimal + traceLow.hexadecimal }
    /// 16 lower-case hexadecimal digits.
    package var spanID: String { span.hexadecimal }

    /// Lower-case digits alone: the standard forbids others.
    private static func hex(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for byte in bytes {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt64(byte - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(byte - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }
}
