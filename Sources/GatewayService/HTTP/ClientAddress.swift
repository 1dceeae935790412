import DeviceAPI
import HTTPTypes
import ServiceKit

/// Who is at the other end, for the log. Forwarded headers count only when a listed proxy sent them.
struct ClientAddress: Sendable {
    private let trusted: [AddressBlock]

    init(trusted: [AddressBlock]) { self.trusted = trusted }

    static func isLoopback(_ address: String) -> Bool { loopback.contains { $0.contains(address) } }

    private static let loopback = ["127.0.0.0/8", "::1"].compactMap { AddressBlock($0) }

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
            guard AddressBlock.bytes(of: hop) != nil else { return peer }
            if !trusted.contains(where: { $0.contains(hop) }) { return hop }
        }
        return hops.first ?? peer
    }

    /// `https` when a listed proxy says so; otherwise how the connection itself came in.
    func scheme(of peer: String, _ headers: HTTPFields, isTLS: Bool) -> String {
        let said = trusted.contains { $0.contains(peer) } ? headers[.forwardedProto] : nil
        return said == "https" || said == "http" ? said ?? "" : isTLS ? "https" : "http"
    }
}

extension Substring {
    /// Without spaces and tabs around it.
    var trimmed: String {
        let isText: (UInt8) -> Bool = { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        guard let first = utf8.firstIndex(where: isText), let last = utf8.lastIndex(where: isText) else { return "" }
        return String(self[first..<utf8.index(after: last)])
    }
}
