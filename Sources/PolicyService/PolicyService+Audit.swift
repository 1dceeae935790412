import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

/// Who makes a change, written with it in one transaction.
struct AuditTrail: Sendable {
    let tenant: TenantID
    let at: Timestamp
    let actor: Actor
    let requestID: String

    func append(
        _ action: PolicyAction, target: String, before: JSONValue? = nil, after: JSONValue? = nil,
        to records: any PolicyRecords
    ) throws {
        try records.append(
            AuditRecord(
                tenant: tenant, at: at, actorKind: actor.kind, actorID: actor.id, actorName: actor.name,
                action: action.rawValue,
                target: target, beforeJSON: before?.canonicalText ?? "", afterJSON: after?.canonicalText ?? "",
                requestID: requestID))
    }
}

extension PolicyService {
    /// Runs a change, and replies when the followers have it: what an administrator was told to be saved is in force everywhere, or,
    /// where a follower is slow, within the second that it may take. The store answers also a caller that has given up meanwhile, so no
    /// committed change stays unannounced.
    func committed<Reply>(_ action: PolicyAction, _ change: () async throws -> Reply) async throws -> Reply {
        let reply = try await change()
        metrics.changed(action)
        store.announce(action.rawValue)
        guard let revision = try? await store.read({ try $0.latestRevision() }) else {
            // The followers meet the same fault, and keep asking.
            changes.advance()
            return reply
        }
        await followers.wait(at: revision, announce: changes.advance)
        return reply
    }

    /// The request is known by its public id, which travels beside the message: in the message it would make a repeat look different.
    func audit(_ tenant: TenantID, _ actor: Actor, _ context: HandlerContext) -> AuditTrail {
        AuditTrail(tenant: tenant, at: now(), actor: actor, requestID: "\(context.call.originID)")
    }

    func listAudit(_ request: ListPolicyAudit, _ context: HandlerContext) async throws -> ListAuditReply {
        let tenantID = TenantID(request.tenant)
        let limit = try Paging.limit(of: request.page)
        let before = try Paging.place(of: request.page)
        let filter = Storage.AuditFilter(request.filter)
        let rows = try await store.read { records in
            _ = try records.existing(tenantID)
            return try records.auditEntries(tenant: tenantID, filter, before: before, limit: limit + 1)
        }
        let page = Paging.cut(rows, to: limit) { $0.beforeJSON.utf8.count + $0.afterJSON.utf8.count + 512 }
        return .with {
            $0.entries = page.rows.map { AuditEntry($0, of: .policy) }
            $0.next = page.isCut ? page.rows.last.map { String($0.sequence) } ?? "" : ""
        }
    }
}

extension PolicyRecords {
    /// The tenant, or `notFound`.
    func existing(_ id: TenantID) throws -> StoredTenant {
        guard let tenant = try tenant(id) else { throw ServiceError(.notFound, "no such tenant") }
        return tenant
    }
}
