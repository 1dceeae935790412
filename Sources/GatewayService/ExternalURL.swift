import ServiceKit

/// The URL that callers see, without anything behind the port: `https://id.example.org`, `http://127.0.0.1:8080`.
///
/// Audiences and the URLs of device proofs begin with it, and a browser's `Origin` is compared with it. So it is written as a browser
/// writes an origin (RFC 6454 section 6.1): in lower case and without the scheme's own port.
package struct ExternalURL: Sendable, Hashable {
    /// What a wrong one is told, as the end of "must be …".
    package static let accepts =
        "an http or https URL of a host in lower case and, unless it is the scheme's own, a port from 1 to 65535, with nothing behind"

    private static let hostBytesMax = 253
    private static let labelBytesMax = 63

    /// Without a slash at its end.
    package let text: String
    package let isSecure: Bool
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    let host: String

    /// Nil for anything else; one slash at the end is passed over.
    package init?(_ text: String) {
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) }
        guard let scheme else { return nil }
        let authority = text.hasSuffix("/") ? text.dropLast() : text[...]
        guard authority.utf8.count > scheme.utf8.count else { return nil }
        let (host, port) = Self.split(authority.dropFirst(scheme.count))
        guard Self.isHost(host), port.map({ Self.isPort($0, of: scheme) }) ?? true else { return nil }
        self.text = String(authority)
        isSecure = scheme == "https://"
        self.host = String(host)
    }

    /// On this machine alone, so that nobody is on the way.
    var isLoopback: Bool {
        host == "localhost"
            || ClientAddress.isLoopback(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host)
    }

    private static func split(_ authority: Substring) -> (host: Substring, port: Substring?) {
        let end =
            authority.hasPrefix("[") ? authority.firstIndex(of: "]") ?? authority.startIndex : authority.startIndex
        guard let colon = authority[end...].firstIndex(of: ":") else { return (authority, nil) }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }

    private static func isPort(_ text: Substring, of scheme: String) -> Bool {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.first != "0", let port = UInt16(text) else {
            return false
        }
        return port != (scheme == "https://" ? 443 : 80)
    }

    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            return address.contains(":") && address == address.lowercased()
                && AddressBlock.bytes(of: String(address)) != nil
        }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        // What ends in a number is an address, or wrong (URL Standard, host parsing).
        if let last = labels.last, last.first?.isNumber == true, last.allSatisfy(\.isNumber) {
            return AddressBlock.bytes(of: String(host)) != nil
        }
        return host.utf8.count <= hostBytesMax && labels.allSatisfy(isLabel)
    }

    /// A label of a host name (RFC 1123 section 2.1), or of an internationalised one in its ASCII form.
    private static func isLabel(_ label: Substring) -> Bool {
        (1...labelBytesMax).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}
