import Domain

/// The kind of a frame.
enum FrameType: UInt8, CaseIterable {
    case hello = 1
    case ready = 2
    case request = 3
    case reply = 4
    case nack = 5
    case cancel = 6
    case credit = 7
    case heartbeat = 8
    case goAway = 9
    case disconnect = 10
}

/// Why bytes are not a frame of this protocol.
enum FrameError: Error, Hashable {
    case tooShort
    case notOurs
    /// Another major version; the number it names.
    case version(UInt8)
    case unknownType
    case malformed
}

/// The 96 bytes before every body, as docs/protocol/messaging.md section 3 lays them out. Integers are little-endian; ids are in the
/// order in which they are written as text.
struct FrameHeader: Equatable {
    static let bytes = 96
    static let magic: UInt16 = 0x5A51
    static let versionMajor: UInt8 = 1
    static let versionMinor: UInt8 = 0

    enum Flags {
        static let idempotent: UInt8 = 1
        static let retry: UInt8 = 2
        static let sampled: UInt8 = 4
    }

    var type: FrameType
    var flags: UInt8 = 0
    var sequence: UInt64 = 0
    var requestID = RequestID(high: 0, low: 0)
    /// Relative, so clocks need not agree; 0 means none.
    var deadlineMicroseconds: UInt64 = 0
    var method: UInt16 = 0
    var attempt: UInt16 = 0
    /// REPLY: an error code or 0. NACK: the reason. GOAWAY: the reason.
    var status: UInt32 = 0
    var trace = TraceContext.none
    var sender = InstanceID(rawValue: 0)
    /// The highest sequence that the caller may use: absolute, so a lost or repeated grant does no harm.
    var creditLimit: UInt64 = 0
    /// Running requests in the upper half, waiting ones in the lower.
    var load: UInt32 = 0
    /// Extension 1: the public request that all of this serves.
    var originID: RequestID?

    init(_ type: FrameType) { self.type = type }

    /// The bytes of header and extensions.
    var encodedBytes: Int { Self.bytes + (originID == nil ? 0 : Self.originExtensionBytes) }

    private static let originExtension: UInt16 = 1
    private static let originExtensionBytes = 4 + 16

    /// Writes header and extensions to the start of `buffer`, which holds at least `encodedBytes`.
    func encode(bodyBytes: Int, into buffer: UnsafeMutableRawBufferPointer) {
        precondition(buffer.count >= encodedBytes, "a frame's buffer is smaller than its header")
        var out = FrameWriter(buffer: buffer)
        out.put(Self.magic)
        out.put(Self.versionMajor)
        out.put(Self.versionMinor)
        out.put(type.rawValue)
        out.put(flags | (trace.sampled ? Flags.sampled : 0))
        out.put(UInt16(encodedBytes))
        out.put(sequence)
        out.put(requestID.high.byteSwapped)
        out.put(requestID.low.byteSwapped)
        out.put(deadlineMicroseconds)
        out.put(method)
        out.put(attempt)
        out.put(status)
        out.put(trace.traceHigh.byteSwapped)
        out.put(trace.traceLow.byteSwapped)
        out.put(trace.span)
        out.put(sender.rawValue)
        out.put(creditLimit)
        out.put(load)
        out.put(UInt32(bodyBytes))
        if let originID {
            out.put(Self.originExtension)
            out.put(UInt16(16))
            out.put(originID.high.byteSwapped)
            out.put(originID.low.byteSwapped)
        }
    }

    /// Reads a whole frame and says where its body is. Never traps, whatever the bytes are.
    static func decode(_ frame: UnsafeRawBufferPointer) throws(FrameError) -> (header: FrameHeader, body: Range<Int>) {
        guard frame.count >= Self.bytes else { throw .tooShort }
        var input = FrameReader(bytes: frame)
        guard input.take(UInt16.self) == magic else { throw .notOurs }
        let major = input.take(UInt8.self)
        guard major == versionMajor else { throw .version(major) }
        _ = input.take(UInt8.self)
        guard let type = FrameType(rawValue: input.take(UInt8.self)) else { throw .unknownType }
        var header = FrameHeader(type)
        header.flags = input.take(UInt8.self)
        let headerBytes = Int(input.take(UInt16.self))
        header.sequence = input.take(UInt64.self)
        header.requestID = RequestID(
            high: input.take(UInt64.self).byteSwapped, low: input.take(UInt64.self).byteSwapped)
        header.deadlineMicroseconds = input.take(UInt64.self)
        header.method = input.take(UInt16.self)
        header.attempt = input.take(UInt16.self)
        header.status = input.take(UInt32.self)
        header.trace = TraceContext(
            traceHigh: input.take(UInt64.self).byteSwapped, traceLow: input.take(UInt64.self).byteSwapped,
            span: input.take(UInt64.self), sampled: header.flags & Flags.sampled != 0)
        header.flags &= ~Flags.sampled
        header.sender = InstanceID(rawValue: input.take(UInt64.self))
        header.creditLimit = input.take(UInt64.self)
        header.load = input.take(UInt32.self)
        let bodyBytes = Int(input.take(UInt32.self))
        guard headerBytes >= Self.bytes, headerBytes <= frame.count, frame.count - headerBytes == bodyBytes else {
            throw .malformed
        }
        try header.readExtensions(UnsafeRawBufferPointer(rebasing: frame[Self.bytes..<headerBytes]))
        return (header, headerBytes..<frame.count)
    }

    private mutating func readExtensions(_ bytes: UnsafeRawBufferPointer) throws(FrameError) {
        guard let values = TaggedValues(bytes) else { throw .malformed }
        guard let origin = values[Self.originExtension] else { return }
        guard origin.count == 16 else { throw .malformed }
        var input = FrameReader(bytes: origin)
        originID = RequestID(high: input.take(UInt64.self).byteSwapped, low: input.take(UInt64.self).byteSwapped)
    }
}

private struct FrameWriter {
    let buffer: UnsafeMutableRawBufferPointer
    var offset = 0

    mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        buffer.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
        offset += MemoryLayout<Value>.size
    }
}

/// Reads integers one after the other; its user has checked that there are enough bytes.
private struct FrameReader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0

    mutating func take<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) -> Value {
        defer { offset += MemoryLayout<Value>.size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
