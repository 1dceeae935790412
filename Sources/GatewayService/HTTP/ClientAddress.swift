import DeviceAPI
import HTTPTypes

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Who is at the other end, for the log. Forwarded headers count only when a listed proxy sent them.
struct ClientAddress: Sendable {
    /// A block of addresses: `10.0.0.0/8`, `::1`, `2001:db8::/32`.
    struct Block: Sendable, Hashable {
        private let network: [UInt8]
        private let bits: Int

        /// Nil for anything but an IP literal with an optional prefix length.
        init?(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let bytes = ClientAddress.bytes(of: String(parts[0])) else { return nil }
            guard let bits = parts.count == 2 ? Int(parts[1]) : bytes.count * 8, (0...bytes.count * 8).contains(bits)
            else { return nil }
            network = bytes
            self.bits = bits
        }

        func contains(_ address: String) -> Bool {
            guard let bytes = ClientAddress.bytes(of: address).map(ClientAddress.unmapped), bytes.count == network.count
            else { return false }
            return (0..<bits).allSatisfy { bit in
                let mask = UInt8(0x80) >> UInt8(bit % 8)
                return bytes[bit / 8] & mask == network[bit / 8] & mask
            }
        }
    }

    private let trusted: [Block]

    init(trusted: [Block]) { self.trusted = trusted }

    static func isLoopback(_ address: String) -> Bool { loopback.contains { $0.contains(address) } }

    private static let loopback = ["127.0.0.0/8", "::1"].compactMap { Block($0) }

    /// Whether a peer may speak plain HTTP: from elsewhere it would come over a network that nothing protects.
    func mayConnect(_ peer: String, isTLS: Bool) -> Bool {
        isTLS || Self.isLoopback(peer) || trusted.contains { $0.contains(peer) }
    }

    /// The nearest address that no listed proxy has: headers of other peers are whatever they like to write.
    func address(of peer: String, _ headers: HTTPFields) -> String {
        guard trusted.contains(where: { $0.contains(peer) }) else { return peer }
        let name = HTTPField.Name.forwardedFor
        let hops = headers[values: name].joined(separator: ",").split(separator: ",").map { $0.trimmed }
        for hop in hops.reversed() {
            guard Self.bytes(of: hop) != nil else { return peer }
            if !trusted.contains(where: { $0.contains(hop) }) { return hop }
        }
        return hops.first ?? peer
    }

    /// `https` when a listed proxy says so; otherwise how the connection itself came in.
    func scheme(of peer: String, _ headers: HTTPFields, isTLS: Bool) -> String {
        let said = trusted.contains { $0.contains(peer) } ? headers[.forwardedProto] : nil
        return said == "https" || said == "http" ? said ?? "" : isTLS ? "https" : "http"
    }

    /// An IPv4 address as a socket for both families shows it (RFC 4291 section 2.5.5.2) is still that address.
    fileprivate static func unmapped(_ bytes: [UInt8]) -> [UInt8] {
        bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            ? Array(bytes[12...]) : bytes
    }

    /// The 4 or 16 bytes of an IP literal; nil for anything else.
    fileprivate static func bytes(of text: String) -> [UInt8]? {
        for (family, length) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: length)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }
}

extension Substring {
    /// Without spaces and tabs around it.
    var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let start = drop(while: isSpace)
        return String(start.reversed().drop(while: isSpace).reversed())
    }
}
