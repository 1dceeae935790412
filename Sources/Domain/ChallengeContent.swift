/// What a phone shows of a request, and what its answer signs: the number is never in it.
package struct ChallengeContent: Hashable, Sendable {
    package let id: ChallengeID
    package let tenant: TenantID
    package let user: String
    /// Nil where the policy hides it, as for the next three.
    package let application: String?
    package let location: String?
    package let ipAddress: String?
    package let userAgent: String?
    package let issuedAt: Timestamp
    package let expiresAt: Timestamp
    package let numberDigits: Int

    package init(
        id: ChallengeID, tenant: TenantID, user: String, origin: Origin, issuedAt: Timestamp, expiresAt: Timestamp,
        numberDigits: Int
    ) {
        self.id = id
        self.tenant = tenant
        self.user = user
        application = origin.application
        location = origin.location
        ipAddress = origin.ipAddress
        userAgent = origin.userAgent
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.numberDigits = numberDigits
    }

    /// Who asks, and from where.
    package struct Origin: Hashable, Sendable {
        package var application: String?
        package var location: String?
        package var ipAddress: String?
        package var userAgent: String?

        package init(
            application: String? = nil, location: String? = nil, ipAddress: String? = nil, userAgent: String? = nil
        ) {
            self.application = application
            self.location = location
            self.ipAddress = ipAddress
            self.userAgent = userAgent
        }
    }

    /// The exact bytes that are stored, shown and hashed: JSON (RFC 8259) with the members in this order and no white space.
    package var json: [UInt8] {
        var text = "{"
        func member(_ name: String, _ value: String) { text += (text.count > 1 ? "," : "") + "\"\(name)\":\(value)" }
        func string(_ value: String?) -> String { value.map(JSONValue.quoted) ?? "null" }
        member("id", string(id.rawValue))
        member("tenant", string(tenant.rawValue))
        member("user", string(user))
        member("application", string(application))
        member("location", string(location))
        member("ipAddress", string(ipAddress))
        member("userAgent", string(userAgent))
        member("issuedAt", string(issuedAt.description))
        member("expiresAt", string(expiresAt.description))
        member("numberDigits", String(numberDigits))
        return Array((text + "}").utf8)
    }
}
