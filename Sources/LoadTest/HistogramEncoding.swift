import CZlib
import Foundation

/// HdrHistogram's V2 compressed encoding, as its log files hold it in base64: a header of big-endian numbers, then the counts as
/// ZigZag LEB128, runs of zeros as one negative number, deflated (HdrHistogram `AbstractHistogram.encodeIntoCompressedByteBuffer`).
package enum HistogramEncoding {
    package struct Malformed: Error, CustomStringConvertible {
        package let description = "this is no HdrHistogram in V2 compressed encoding with the range of this program"
    }

    private static let cookie: UInt32 = 0x1c84_9313
    private static let compressedCookie: UInt32 = 0x1c84_9314
    private static let headerBytes = 40
    /// So that sums of what a file claims stay in range.
    private static let countMax: Int64 = 1 << 40
    /// Each count takes nine bytes at most.
    private static let payloadBytesMax = Histogram.length * 9

    package static func encode(_ histogram: Histogram) -> String {
        let deflated = deflate(plain(histogram))
        var bytes: [UInt8] = []
        append(compressedCookie, to: &bytes)
        append(UInt32(deflated.count), to: &bytes)
        return Data(bytes + deflated).base64EncodedString()
    }

    package static func decode(_ text: String) throws -> Histogram {
        guard let data = Data(base64Encoded: text), data.count > 8 else { throw Malformed() }
        let bytes = [UInt8](data)
        guard number(UInt32.self, bytes, at: 0) == compressedCookie,
            Int(number(UInt32.self, bytes, at: 4)) == bytes.count - 8
        else { throw Malformed() }
        return try histogram(inflate(Array(bytes[8...])))
    }

    // MARK: the plain form

    private static func plain(_ histogram: Histogram) -> [UInt8] {
        var payload: [UInt8] = []
        var zeros: Int64 = 0
        for count in histogram.counts.prefix(Histogram.index(of: histogram.maximum) + 1) {
            if count == 0 {
                zeros += 1
                continue
            }
            if zeros > 0 { appendZigZag(-zeros, to: &payload) }
            zeros = 0
            appendZigZag(Int64(count), to: &payload)
        }
        if zeros > 0 { appendZigZag(-zeros, to: &payload) }
        var bytes: [UInt8] = []
        append(cookie, to: &bytes)
        append(UInt32(payload.count), to: &bytes)
        append(UInt32(0), to: &bytes)  // normalizing index offset
        append(UInt32(Histogram.significantDigits), to: &bytes)
        append(UInt64(1), to: &bytes)  // lowest discernible value
        append(Histogram.highest, to: &bytes)
        append((1.0).bitPattern, to: &bytes)  // conversion ratio
        return bytes + payload
    }

    private static func histogram(_ bytes: [UInt8]) throws -> Histogram {
        guard bytes.count >= headerBytes, number(UInt32.self, bytes, at: 0) == cookie,
            Int(number(UInt32.self, bytes, at: 4)) == bytes.count - headerBytes,
            number(UInt32.self, bytes, at: 8) == 0,
            Int(number(UInt32.self, bytes, at: 12)) == Histogram.significantDigits,
            number(UInt64.self, bytes, at: 16) == 1, number(UInt64.self, bytes, at: 24) == Histogram.highest
        else { throw Malformed() }
        var histogram = Histogram()
        var rest = bytes[headerBytes...]
        var index = 0
        while !rest.isEmpty {
            guard let value = takeZigZag(&rest), (-Int64(Histogram.length)...countMax).contains(value) else {
                throw Malformed()
            }
            if value < 0 {
                index += Int(-value)
                continue
            }
            guard index < Histogram.length, Histogram.range(at: index).lowerBound <= Histogram.highest else {
                throw Malformed()
            }
            if value > 0 {
                histogram.record(microseconds: Histogram.range(at: index).upperBound, times: UInt64(value))
            }
            index += 1
        }
        return histogram
    }

    // MARK: numbers

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func number<Number: FixedWidthInteger>(_: Number.Type, _ bytes: [UInt8], at offset: Int) -> Number {
        bytes[offset..<offset + MemoryLayout<Number>.size].reduce(0) { $0 << 8 | Number($1) }
    }

    /// Seven bits a byte, lowest first; a ninth byte holds eight.
    private static func appendZigZag(_ value: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
        for _ in 0..<8 {
            guard rest > 0x7F else { break }
            bytes.append(UInt8(rest & 0x7F | 0x80))
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private static func takeZigZag(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
        var value: UInt64 = 0
        for position in 0..<9 {
            guard let byte = bytes.popFirst() else { return nil }
            let isLast = position == 8
            value |= UInt64(isLast ? byte : byte & 0x7F) << UInt64(7 * position)
            if isLast || byte & 0x80 == 0 { break }
        }
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    // MARK: zlib

    private static func deflate(_ bytes: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Int(compressBound(UInt(bytes.count))))
        var length = UInt(output.count)
        guard compress(&output, &length, bytes, UInt(bytes.count)) == Z_OK else {
            preconditionFailure("zlib's bound is enough for what it compresses")
        }
        return Array(output.prefix(Int(length)))
    }

    private static func inflate(_ bytes: [UInt8]) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: headerBytes + payloadBytesMax)
        var length = UInt(output.count)
        guard uncompress(&output, &length, bytes, UInt(bytes.count)) == Z_OK else { throw Malformed() }
        return Array(output.prefix(Int(length)))
    }
}
