package import Domain

/// What the QR code of a device registration holds.
package struct ActivationURI: Hashable, Sendable {
    private static let charactersMax = 4096
    private static let prefix = "countersign://activate?"

    /// The gateway's external URL.
    package let server: String
    package let tenant: TenantID
    package let ticket: String
    package let issuer: String
    package let account: String

    package init(server: String, tenant: TenantID, ticket: String, issuer: String, account: String) {
        self.server = server
        self.tenant = tenant
        self.ticket = ticket
        self.issuer = issuer
        self.account = account
    }

    package var text: String {
        let members = [
            ("server", server), ("tenant", tenant.rawValue), ("ticket", ticket), ("issuer", issuer),
            ("account", account),
        ]
        return Self.prefix + members.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
    }

    /// Reads a URI. The server must be an http or https URL and the ticket base64url; unknown members are ignored, so that a later
    /// server can add some. Throws `malformed`.
    package init(_ text: String) throws(ProofError) {
        guard text.utf8.count <= Self.charactersMax, text.hasPrefix(Self.prefix),
            let members = PercentEncoding.query(text.dropFirst(Self.prefix.count)),
            let server = members["server"], server.hasPrefix("https://") || server.hasPrefix("http://"),
            let tenant = members["tenant"], TenantID.isValid(tenant),
            let ticket = members["ticket"], let bytes = Base64URL.decode(ticket), bytes.count >= 16,
            let issuer = members["issuer"], let account = members["account"]
        else { throw .malformed }
        self.init(server: server, tenant: TenantID(tenant), ticket: ticket, issuer: issuer, account: account)
    }
}
