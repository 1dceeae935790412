import Domain
import Proofs

/// What the QR code of an activation holds. Show `account` and `serverName` to the person before they go on.
public struct ActivationLink: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The server's external URL, without a trailing slash.
    public let server: String
    public let tenant: String
    public let issuer: String
    public let account: String
    let ticket: String

    /// Reads `countersign://activate?…`. Throws `invalidActivationLink`.
    public init(_ text: String) throws(AuthenticatorError) {
        let uri: ActivationURI
        do { uri = try ActivationURI(text) } catch { throw .invalidActivationLink }
        var server = uri.server
        while server.hasSuffix("/") { server.removeLast() }
        // A user name, a query or a fragment in the server's URL could make it look like another server.
        guard let authority = Self.authority(server), !server.contains(where: { "?#@ \\".contains($0) || !$0.isASCII })
        else {
            throw .invalidActivationLink
        }
        self.server = server
        serverName = authority
        tenant = uri.tenant.rawValue
        issuer = uri.issuer.plain
        account = uri.account.plain
        ticket = uri.ticket
    }

    /// Host and port, for the person to recognise.
    public let serverName: String

    /// Whether what is sent there can be read on the way: neither TLS nor this machine itself.
    public var isExposed: Bool {
        guard server.hasPrefix("http://") else { return false }
        let host =
            serverName.hasPrefix("[")
            ? String(serverName.prefix { $0 != "]" }) + "]" : String(serverName.prefix { $0 != ":" })
        return host != "localhost" && host != "[::1]" && !Self.isLoopbackIPv4(host)
    }

    /// Four decimal octets that start with 127: a name such as `127.example.org` is somewhere else.
    private static func isLoopbackIPv4(_ host: String) -> Bool {
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }

    private static func authority(_ server: String) -> String? {
        for scheme in ["https://", "http://"] where server.hasPrefix(scheme) {
            let authority = server.dropFirst(scheme.count).prefix { $0 != "/" }
            return authority.isEmpty ? nil : String(authority)
        }
        return nil
    }

    /// Without the ticket, which is a secret until it is used.
    public var description: String { "activation at \(serverName)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
