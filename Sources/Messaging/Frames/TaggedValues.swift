/// A run of values, each with a 16-bit tag and a 16-bit length before it, little-endian: header extensions, and the bodies of HELLO
/// and READY. Unknown tags are passed over, so that a later version may add some.
struct TaggedValues {
    private let bytes: UnsafeRawBufferPointer

    /// Nil when the lengths do not add up. Valid only as long as `bytes` is.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset < bytes.count {
            guard let next = Self.entry(bytes, at: offset)?.value.upperBound else { return nil }
            offset = next
        }
        self.bytes = bytes
    }

    /// The first value with this tag.
    subscript(_ tag: UInt16) -> UnsafeRawBufferPointer? {
        var offset = 0
        while let entry = Self.entry(bytes, at: offset) {
            if entry.tag == tag { return UnsafeRawBufferPointer(rebasing: bytes[entry.value]) }
            offset = entry.value.upperBound
        }
        return nil
    }

    private static func entry(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> (tag: UInt16, value: Range<Int>)? {
        guard bytes.count - offset >= 4 else { return nil }
        let tag = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
        let count = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)))
        guard bytes.count - offset - 4 >= count else { return nil }
        return (tag, offset + 4..<offset + 4 + count)
    }

    /// Appends one value.
    static func append(_ tag: UInt16, _ value: [UInt8], to bytes: inout [UInt8]) {
        precondition(value.count <= UInt16.max, "a tagged value is longer than 65,535 bytes")
        for word in [tag, UInt16(value.count)] {
            bytes.append(UInt8(truncatingIfNeeded: word))
            bytes.append(UInt8(truncatingIfNeeded: word >> 8))
        }
        bytes += value
    }
}

/// What a caller says of itself when a connection begins.
struct HelloBody: Equatable {
    var service: String

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        TaggedValues.append(1, Array(service.utf8), to: &bytes)
        return bytes
    }

    init(service: String) { self.service = service }

    /// Nil for a body that names no service.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let name = TaggedValues(bytes)?[1], name.count <= 64 else { return nil }
        service = String(decoding: name, as: UTF8.self)
    }
}

/// What the callee answers: its service, and how often it beats.
struct ReadyBody: Equatable {
    var service: String
    var heartbeatMilliseconds: UInt32

    init(service: String, heartbeatMilliseconds: UInt32) {
        self.service = service
        self.heartbeatMilliseconds = heartbeatMilliseconds
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        TaggedValues.append(1, Array(service.utf8), to: &bytes)
        TaggedValues.append(2, withUnsafeBytes(of: heartbeatMilliseconds.littleEndian) { Array($0) }, to: &bytes)
        return bytes
    }

    /// Nil for a body that names no service or a heartbeat out of 1 ms to 1 minute.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let values = TaggedValues(bytes), let name = values[1], name.count <= 64, let interval = values[2],
            interval.count == 4
        else {
            return nil
        }
        service = String(decoding: name, as: UTF8.self)
        heartbeatMilliseconds = UInt32(littleEndian: interval.loadUnaligned(as: UInt32.self))
        guard (1...60_000).contains(heartbeatMilliseconds) else { return nil }
    }
}
