import Domain
import Foundation
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension PolicyService {
    /// Creates a tenant with its first administrator's token, or says that it exists.
    func createTenant(_ request: CreateTenant, _ context: HandlerContext) async throws -> CreateTenantReply {
        guard TenantID.isValid(request.id) else { throw Self.invalid("id", allowed: "1 to 63 of a-z, 0-9 and -") }
        guard DisplayName.isValid(request.name) else { throw Self.invalid("name", allowed: Self.nameRule) }
        let (id, now, secret, tokenID) = (TenantID(request.id), now(), newSecret(), newID())
        let token = StoredToken(administrator: secret.digest, tokenID, of: id, at: now)
        let audit = audit(id, request.actor, context)
        return try await committed(.createTenant) { [self] in
            try await once.run(request, context, holdsSecret: true) { records in
                if let existing = try records.tenant(id) {
                    return .with {
                        $0.id = id.rawValue
                        $0.name = existing.name
                        $0.existed = true
                    }
                }
                let tenant = StoredTenant(
                    id: id, name: request.name, createdAt: now, revision: try records.nextRevision())
                try records.insert(tenant)
                try records.insert(token)
                try audit.append(
                    .createTenant, target: id.rawValue,
                    after: ["id": .string(id.rawValue), "name": .string(request.name)], to: records)
                return .with {
                    $0.id = id.rawValue
                    $0.name = request.name
                    $0.adminToken = secret.text
                }
            }
        }
    }

    /// For a token that was lost or seen: every administrator's token of the tenant ends with the commit, and gateways forget them
    /// because the tenant's revision moves. Sessions and applications with the role stay.
    func renewAdminToken(_ request: RenewAdminToken, _ context: HandlerContext) async throws -> RenewAdminTokenReply {
        let (id, now, secret, tokenID) = (TenantID(request.tenant), now(), newSecret(), newID())
        let token = StoredToken(administrator: secret.digest, tokenID, of: id, at: now)
        let audit = audit(id, request.actor, context)
        return try await committed(.renewAdminToken) { [self] in
            try await once.run(request, context, holdsSecret: true) { records in
                let tenant = try records.existing(id)
                let ended = try records.deleteAdministratorTokens(of: id)
                try records.insert(token)
                try records.move(id, to: records.nextRevision())
                try audit.append(
                    .renewAdminToken, target: id.rawValue, before: ["tokens": .integer(Int64(ended))],
                    after: ["tokens": 1, "tokenId": .string(tokenID)], to: records)
                return .with {
                    $0.name = tenant.name
                    $0.adminToken = secret.text
                }
            }
        }
    }

    /// Without documents: they are read one by one.
    func listTenants(_ request: ListTenants, _ context: HandlerContext) async throws -> ListTenantsReply {
        let limit = try Paging.limit(of: request.page)
        let after = request.page.cursor.isEmpty ? nil : TenantID(request.page.cursor)
        let tenants = try await store.read { try $0.tenants(after: after, limit: limit + 1) }
        let page = Paging.cut(tenants, to: limit) { $0.name.utf8.count + 128 }
        return .with {
            $0.tenants = page.rows.map { tenant in
                .with {
                    $0.tenant = tenant.id.rawValue
                    $0.name = tenant.name
                    $0.revision = tenant.revision
                }
            }
            $0.next = page.isCut ? page.rows.last?.id.rawValue ?? "" : ""
        }
    }

    /// Parked until some tenant changes, unless the follower is behind or new.
    func watchPolicy(_ request: WatchPolicy, _ context: HandlerContext) async throws -> WatchPolicyReply {
        let isNew = request.epoch != epoch
        let known = isNew ? 0 : request.knownRevision
        return try await followers.following(isNew ? nil : known) {
            let seen = changes.count
            let reply = try await changed(after: known)
            let wait = min(Duration.milliseconds(Int64(request.waitMs)), PolicyConfiguration.watchMax)
            if isNew || !reply.changed.isEmpty || wait <= .zero {
                return Self.with(reply) { $0.complete = isNew }
            }
            // One wait: a follower that is woken for nothing asks again.
            guard await changes.wait(past: seen, atMost: { [pause] in try await pause(wait) }) else { return reply }
            return try await changed(after: known)
        }
    }

    private static func with(_ reply: WatchPolicyReply, _ change: (inout WatchPolicyReply) -> Void) -> WatchPolicyReply
    {
        var reply = reply
        change(&reply)
        return reply
    }

    /// What changed, as much of it as fits into one message.
    private func changed(after known: Revision) async throws -> WatchPolicyReply {
        let limit = Paging.rowsDefault
        let (latest, tenants) = try await store.read {
            (try $0.latestRevision(), try $0.tenants(changedAfter: known, limit: limit + 1))
        }
        let page = Paging.cut(tenants, to: limit) {
            $0.policy.json.utf8.count + $0.settings.json.utf8.count + $0.name.utf8.count + 128
        }
        return .with {
            $0.epoch = epoch
            $0.more = page.isCut
            $0.revision = page.isCut ? page.rows.last?.revision ?? known : latest
            $0.changed = page.rows.map(TenantSnapshot.init)
        }
    }
}

extension StoredToken {
    /// The token that an operator hands to a tenant's administrator. It has no end.
    fileprivate init(administrator digest: [UInt8], _ id: String, of tenant: TenantID, at time: Timestamp) {
        self.init(
            digest: digest, id: id, tenant: tenant, holder: .administrator(name: "First administrator"),
            createdAt: time, expiresAt: nil)
    }
}

extension StoredTenant {
    /// A new tenant with the documents that every tenant starts with.
    init(id: TenantID, name: String, createdAt: Timestamp, revision: Revision) {
        self.init(
            id: id, name: name, createdAt: createdAt, revision: revision,
            policy: StoredDocument(json: AuthenticatorPolicy.initial.document.canonicalText, revision: revision),
            settings: StoredDocument(json: TenantSettings().document.canonicalText, revision: revision))
    }
}

extension TenantSnapshot {
    init(_ tenant: StoredTenant) {
        self.init()
        self.tenant = tenant.id.rawValue
        name = tenant.name
        revision = tenant.revision
        policyJson = Data(tenant.policy.json.utf8)
        settingsJson = Data(tenant.settings.json.utf8)
    }
}
