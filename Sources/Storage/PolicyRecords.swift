package import Domain

/// What the policy service keeps: tenants with their documents, applications, tokens, replies and its part of the audit log.
package protocol PolicyRecords: TenantRecords, ClientRecords, TokenRecords, MemoRecords, AuditRecords {}

/// The count of all changes of this installation: each change takes the next number, and none is used twice.
package typealias Revision = UInt64

/// A document of a tenant, with the revision of the change that made it.
package struct StoredDocument: Hashable, Sendable {
    package let json: String
    package let revision: Revision

    package init(json: String, revision: Revision) {
        self.json = json
        self.revision = revision
    }
}

package struct StoredTenant: Hashable, Sendable {
    package let id: TenantID
    package let name: String
    package let createdAt: Timestamp
    /// Of the latest change of the tenant, its documents or its applications.
    package let revision: Revision
    package let policy: StoredDocument
    package let settings: StoredDocument

    package init(
        id: TenantID, name: String, createdAt: Timestamp, revision: Revision, policy: StoredDocument,
        settings: StoredDocument
    ) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
        self.revision = revision
        self.policy = policy
        self.settings = settings
    }
}

package enum TenantDocument: String, Sendable, CaseIterable { case policy, settings }

package protocol TenantRecords {
    /// The number of the latest change, at least 1.
    func latestRevision() throws -> Revision
    /// Takes the next number.
    func nextRevision() throws -> Revision
    func tenant(_ id: TenantID) throws -> StoredTenant?
    /// Throws `alreadyExists`.
    func insert(_ tenant: StoredTenant) throws
    /// Replaces a document and moves the tenant to its revision. Throws `conflict` unless the stored one is of `expected`.
    func replace(
        _ kind: TenantDocument, of tenant: TenantID, with document: StoredDocument, expecting expected: Revision) throws
    /// Moves the tenant to `revision` when something else of it changed. Throws `notFound`.
    func move(_ tenant: TenantID, to revision: Revision) throws
    /// Tenants whose revision is above, in the order of their revisions.
    func tenants(changedAfter revision: Revision, limit: Int) throws -> [StoredTenant]
    /// Tenants in the order of their ids.
    func tenants(after id: TenantID?, limit: Int) throws -> [StoredTenant]
}

/// An application that may ask, with the digest of its secret.
package struct StoredClient: Hashable, Sendable {
    package let tenant: TenantID
    package let id: ClientID
    package let name: String
    package let secretDigest: [UInt8]
    package let applications: [String]
    package let anyApplication: Bool
    package let roles: [String]
    package let createdAt: Timestamp

    package init(
        tenant: TenantID, id: ClientID, name: String, secretDigest: [UInt8], rights: Rights, createdAt: Timestamp
    ) {
        self.tenant = tenant
        self.id = id
        self.name = name
        self.secretDigest = secretDigest
        applications = rights.applications
        anyApplication = rights.anyApplication
        roles = rights.roles
        self.createdAt = createdAt
    }

    package struct Rights: Hashable, Sendable {
        package var applications: [String]
        package var anyApplication: Bool
        package var roles: [String]

        package init(applications: [String] = [], anyApplication: Bool = false, roles: [String]) {
            self.applications = applications
            self.anyApplication = anyApplication
            self.roles = roles
        }
    }
}

package protocol ClientRecords {
    /// Throws `alreadyExists` when the tenant has a client of this id.
    func insert(_ client: StoredClient) throws
    func client(_ id: ClientID, of tenant: TenantID) throws -> StoredClient?
    /// Clients in the order of their creation, each with its place in it, after `place` (nil: from the first).
    func clients(of tenant: TenantID, after place: Int64?, limit: Int) throws -> [(place: Int64, client: StoredClient)]
    /// Deletes a client and its tokens. Throws `notFound`.
    func deleteClient(_ id: ClientID, of tenant: TenantID) throws
}

/// A bearer token by its digest; the token itself is nowhere.
package struct StoredToken: Hashable, Sendable {
    package enum Holder: Hashable, Sendable {
        case client(ClientID)
        case administrator(name: String)
    }

    package let digest: [UInt8]
    package let id: String
    package let tenant: TenantID
    package let holder: Holder
    package let createdAt: Timestamp
    /// Nil: until it is deleted.
    package let expiresAt: Timestamp?

    package init(
        digest: [UInt8], id: String, tenant: TenantID, holder: Holder, createdAt: Timestamp, expiresAt: Timestamp?
    ) {
        self.digest = digest
        self.id = id
        self.tenant = tenant
        self.holder = holder
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

package protocol TokenRecords {
    /// Throws `alreadyExists` when the digest is taken.
    func insert(_ token: StoredToken) throws
    func token(digest: [UInt8], of tenant: TenantID) throws -> StoredToken?
    /// Deletes every administrator's token of a tenant; returns how many there were.
    func deleteAdministratorTokens(of tenant: TenantID) throws -> Int
    /// Deletes at most `limit` tokens that expired at `time` or before; returns how many.
    func deleteTokens(expiredAt time: Timestamp, limit: Int) throws -> Int
}
