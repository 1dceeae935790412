import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

/// What administrators do here: unlock a person's codes, read the verifier's part of the audit log.
struct AdministrationHandler: Sendable {
    private static let pageDefault = 100
    private static let pageMax = 1000

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
        let limit = request.page.limit == 0 ? Self.pageDefault : min(Int(request.page.limit), Self.pageMax)
        var before: Int64?
        if !request.page.cursor.isEmpty {
            guard let sequence = Int64(request.page.cursor), sequence > 0 else {
                throw ServiceError(.malformed, "the cursor is not one that was given")
            }
            before = sequence
        }
        let position = before
        let entries = try await store.read {
            try $0.auditEntries(tenant: TenantID(request.tenant), before: position, limit: limit)
        }
        return ListAuditReply.with { reply in
            reply.entries = entries.map(AuditEntry.init)
            if entries.count == limit, let last = entries.last { reply.next = String(last.sequence) }
        }
    }
}

extension AuditEntry {
    init(_ record: AuditRecord) {
        self = .with {
            $0.id = "verifier-\(record.sequence)"
            $0.atMs = record.at.milliseconds
            $0.actor = .with {
                $0.kind = record.actorKind
                $0.id = record.actorID
                $0.name = record.actorName
            }
            $0.action = record.action
            $0.target = record.target
            $0.beforeJson = record.beforeJSON
            $0.afterJson = record.afterJSON
            $0.requestID = record.requestID
        }
    }
}
