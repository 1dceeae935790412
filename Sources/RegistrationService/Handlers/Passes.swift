import Domain
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    func issuePass(_ request: IssuePass, _ context: HandlerContext) async throws -> IssuePassReply {
        let tenant = TenantID(request.tenant)
        let settings = try tenants.tenant(tenant).settings
        let minutes =
            request.lifetimeMinutes == 0 ? settings.temporaryAccessPassLifetimeMinutes : Int(request.lifetimeMinutes)
        guard TemporaryAccessPass.lifetimeMinutes.contains(minutes) else {
            let (least, most) = (
                TemporaryAccessPass.lifetimeMinutes.lowerBound, TemporaryAccessPass.lifetimeMinutes.upperBound
            )
            throw ServiceError(
                .outOfRange, "lifetimeMinutes is outside of \(least) to \(most)",
                members: ["member": "lifetimeMinutes", "range": "\(least)-\(most)"])
        }
        if let reply = try await once.replay(request, context, holdsSecret: true) { return reply }
        let text = TemporaryAccessPass.make(length: settings.temporaryAccessPassLength, random: { randomBytes($0) })
        let hash = try await hash(Array(text.utf8))
        let isUsableOnce = request.hasUsableOnce ? request.usableOnce : true
        return try await change(request, context, holdsSecret: true) { change in
            let person = try change.records.needPerson(request.personID, tenant: tenant)
            let pass = StoredPass(
                tenant: tenant, person: person.id, id: Fresh.uuid(), hash: hash, createdAt: change.at,
                expiresAt: change.at + .seconds(minutes * 60), isUsableOnce: isUsableOnce)
            try change.records.save(pass)
            try change.audit(
                request.actor, "pass.issue", tenant: tenant, target: person.id.rawValue,
                after: [
                    "username": .string(person.username), "id": .string(pass.id),
                    "expiresAt": .string(pass.expiresAt.description),
                    "usableOnce": .bool(isUsableOnce),
                ])
            return IssuePassReply.with {
                $0.id = pass.id
                $0.pass = text
                $0.expiresAtMs = pass.expiresAt.milliseconds
                $0.usableOnce = isUsableOnce
            }
        }
    }
}
