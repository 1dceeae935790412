import Glibc

/// A block of IP addresses, as `10.0.0.0/8`, `fd00::/8` or one address (RFC 4632 section 3.1, RFC 4291 section 2.3).
package struct AddressBlock: Hashable, Sendable {
    private let prefix: [UInt8]
    private let bits: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let bytes = Self.bytes(of: String(parts[0])) else { return nil }
        let bits = parts.count == 2 ? Int(parts[1]) ?? -1 : bytes.count * 8
        guard (0...bytes.count * 8).contains(bits) else { return nil }
        prefix = bytes
        self.bits = bits
    }

    fileprivate init(_ prefix: [UInt8], _ bits: Int) {
        self.prefix = prefix
        self.bits = bits
    }

    package func contains(_ address: [UInt8]) -> Bool {
        guard address.count == prefix.count else { return false }
        let (whole, rest) = bits.quotientAndRemainder(dividingBy: 8)
        guard address[..<whole] == prefix[..<whole] else { return false }
        return rest == 0 || (address[whole] ^ prefix[whole]) >> UInt8(8 - rest) == 0
    }

    /// False for a text that is no address.
    package func contains(_ text: String) -> Bool { Self.bytes(of: text).map { contains($0) } ?? false }

    /// 4 or 16 bytes; nil for a text that is no address. A version 4 address in the form of a version 6 one is the version 4 one:
    /// that is where a connection to it goes.
    package static func bytes(of text: String) -> [UInt8]? {
        // C reads up to a NUL, and would answer for another text than this.
        guard !text.utf8.contains(0) else { return nil }
        var v4 = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &v4) == 1 { return v4 }
        var v6 = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        return v6.starts(with: mapped) ? Array(v6[12...]) : v6
    }

    private static let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
}

extension AddressBlock {
    /// Whether an address is one of the internet's own: nothing on this machine, in this network, or of special use (RFC 6890 and the
    /// registries that it begins).
    package static func isPublic(_ address: [UInt8]) -> Bool {
        if address.count == 4 { return !special4.contains { $0.contains(address) } }
        // Global unicast is 2000::/3; what embeds or tunnels version 4 within it could lead anywhere.
        return global6.contains(address) && !special6.contains { $0.contains(address) }
    }

    private static let special4 = [
        AddressBlock([0, 0, 0, 0], 8), AddressBlock([10, 0, 0, 0], 8), AddressBlock([100, 64, 0, 0], 10),
        AddressBlock([127, 0, 0, 0], 8), AddressBlock([169, 254, 0, 0], 16), AddressBlock([172, 16, 0, 0], 12),
        AddressBlock([192, 0, 0, 0], 24), AddressBlock([192, 0, 2, 0], 24), AddressBlock([192, 88, 99, 0], 24),
        AddressBlock([192, 168, 0, 0], 16), AddressBlock([198, 18, 0, 0], 15), AddressBlock([198, 51, 100, 0], 24),
        AddressBlock([203, 0, 113, 0], 24), AddressBlock([224, 0, 0, 0], 3),
    ]
    private static let global6 = AddressBlock([0x20], length: 16, 3)
    private static let special6 = [
        AddressBlock([0x20, 0x01], length: 16, 23), AddressBlock([0x20, 0x01, 0x0D, 0xB8], length: 16, 32),
        AddressBlock([0x20, 0x02], length: 16, 16), AddressBlock([0x3F, 0xFF], length: 16, 20),
    ]

    private init(_ start: [UInt8], length: Int, _ bits: Int) {
        self.init(start + [UInt8](repeating: 0, count: length - start.count), bits)
    }
}
