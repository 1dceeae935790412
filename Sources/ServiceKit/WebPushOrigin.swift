import Foundation

/// The origin of a push resource (RFC 6454 section 4), always https.
package struct WebPushOrigin: Hashable, Sendable {
    /// Lower case: `[a-z0-9.-]+`, or a version 6 address in brackets. It is written into URLs as it is.
    package let host: String
    package let port: Int

    /// Nil for another scheme, for a fragment, and for what could be read in two ways: a user, characters that no URL has, and a host that
    /// holds, once its percent-encoding is undone, what ends a host in a URL (RFC 3986 section 3.2.2) or a C string.
    package init?(endpoint: String) {
        guard endpoint.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C }),
            let parts = URLComponents(string: endpoint), parts.scheme?.lowercased() == "https", parts.user == nil,
            parts.password == nil, parts.fragment == nil, let host = parts.host?.lowercased(), Self.isHost(host),
            let port = UInt16(exactly: parts.port ?? 443), port > 0
        else { return nil }
        self.host = host
        self.port = Int(port)
    }

    /// Whether an endpoint can have this host, which is in lower case.
    package static func isHost(_ text: String) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = String(text.dropFirst().dropLast())
            return inner.contains(":") && AddressBlock.bytes(of: inner) != nil
        }
        return !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E
            }
    }

    /// The push resource, written with this very host: what is sent to must be read as what was checked, in whatever spelling it came.
    package func resource(_ endpoint: String) -> String? {
        URLComponents(string: endpoint).map { parts in
            text + parts.percentEncodedPath + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
        }
    }

    /// As an audience: without the port that https has by itself.
    package var text: String { port == 443 ? "https://\(host)" : "https://\(host):\(port)" }
}
