package import Domain

/// One person of a tenant's directory.
package struct StoredPerson: Hashable, Sendable {
    package let tenant: TenantID
    package let id: PersonID
    /// As it was created; `FoldedUsername(username)` is what is looked up.
    package let username: String
    package var displayName: String
    /// With its parameters and salt. Nil: no password.
    package var passwordHash: String?
    package var isBlocked: Bool
    package var roles: [String]
    package let createdAt: Timestamp
    /// What the person chose; nil: nothing yet.
    package var defaultMethod: DefaultMethod?

    package init(
        tenant: TenantID, id: PersonID, username: String, displayName: String, passwordHash: String? = nil,
        isBlocked: Bool = false,
        roles: [String] = [], createdAt: Timestamp, defaultMethod: DefaultMethod? = nil
    ) {
        self.tenant = tenant
        self.id = id
        self.username = username
        self.displayName = displayName
        self.passwordHash = passwordHash
        self.isBlocked = isBlocked
        self.roles = roles
        self.createdAt = createdAt
        self.defaultMethod = defaultMethod
    }
}

package struct StoredGroup: Hashable, Sendable {
    package let tenant: TenantID
    package let id: GroupID
    package var name: String
    package let createdAt: Timestamp

    package init(tenant: TenantID, id: GroupID, name: String, createdAt: Timestamp) {
        self.tenant = tenant
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }

    package static func folded(_ name: String) -> String { name.lowercased() }
}

/// What a policy needs to know of a person to judge, and what that person has set up.
package struct PolicySubject: Hashable, Sendable {
    package let person: PersonID
    package let groups: Set<GroupID>
    /// An active one.
    package let hasDevice: Bool
    /// Phone sign-in is set up on an active device.
    package let hasPhoneSignIn: Bool

    package init(person: PersonID, groups: Set<GroupID>, hasDevice: Bool, hasPhoneSignIn: Bool) {
        self.person = person
        self.groups = groups
        self.hasDevice = hasDevice
        self.hasPhoneSignIn = hasPhoneSignIn
    }
}

/// A Temporary Access Pass: one a person, the latest issued.
package struct StoredPass: Hashable, Sendable {
    package let tenant: TenantID
    package let person: PersonID
    package let id: String
    package let hash: String
    package let createdAt: Timestamp
    package let expiresAt: Timestamp
    package let isUsableOnce: Bool
    package var usedAt: Timestamp?

    package init(
        tenant: TenantID, person: PersonID, id: String, hash: String, createdAt: Timestamp, expiresAt: Timestamp,
        isUsableOnce: Bool,
        usedAt: Timestamp? = nil
    ) {
        self.tenant = tenant
        self.person = person
        self.id = id
        self.hash = hash
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.isUsableOnce = isUsableOnce
        self.usedAt = usedAt
    }

    package func isUsable(at now: Timestamp) -> Bool { now < expiresAt && !(isUsableOnce && usedAt != nil) }
}

/// A person's own session in a browser; the token itself is never stored.
package struct StoredSession: Hashable, Sendable {
    package let tenant: TenantID
    package let digest: [UInt8]
    package let id: String
    package let person: PersonID
    package let isByPass: Bool
    package let createdAt: Timestamp
    package var lastUsedAt: Timestamp

    package init(
        tenant: TenantID, digest: [UInt8], id: String, person: PersonID, isByPass: Bool, createdAt: Timestamp,
        lastUsedAt: Timestamp
    ) {
        self.tenant = tenant
        self.digest = digest
        self.id = id
        self.person = person
        self.isByPass = isByPass
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
    }
}
