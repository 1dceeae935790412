import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

/// What administrators do here: unlock a person's codes, read the verifier's part of the audit log.
struct AdministrationHandler: Sendable {
    let store: any Store<any VerifierRecords>
    let once: Once<any VerifierRecords>
    let now: @Sendable () -> Timestamp

    func unlock(_ request: UnlockCodes, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        let username = FoldedUsername(request.username)
        let time = now()
        return try await once.run(request, context) { records in
            let before = try records.codeFailures(tenant: tenant, username: username)
            _ = try records.deleteCodeFailures(tenant: tenant, username: username)
            try records.append(
                AuditRecord(
                    tenant: tenant, at: time, actorKind: request.actor.kind, actorID: request.actor.id,
                    actorName: request.actor.name,
                    action: "codes.unlock", target: username.rawValue, beforeJSON: before?.auditJSON ?? "",
                    afterJSON: #"{"failures":0,"locked":false}"#,
                    requestID: request.requestID.isEmpty ? context.call.originID.description : request.requestID))
            return Wire.Empty()
        }
    }

    func audit(_ request: ListVerifierAudit, _ context: HandlerContext) async throws -> ListAuditReply {
        let (tenant, limit) = (TenantID(request.tenant), try Paging.limit(of: request.page))
        let before = try Paging.place(of: request.page)
        let filter = Storage.AuditFilter(request.filter)
        let entries = try await store.read {
            try $0.auditEntries(tenant: tenant, filter, before: before, limit: limit + 1)
        }
        let page = try Paging.cut(entries.map { AuditEntry($0, of: .verifier) }, to: limit) {
            try $0.serializedData().count
        }
        return ListAuditReply.with {
            $0.entries = page.rows
            if page.isCut { $0.next = String(entries[page.rows.count - 1].sequence) }
        }
    }
}
