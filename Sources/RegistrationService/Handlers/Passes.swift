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
                after: pass.auditDocument(of: person))
            return IssuePassReply.with {
                $0.id = pass.id
                $0.pass = text
                $0.expiresAtMs = pass.expiresAt.milliseconds
                $0.usableOnce = isUsableOnce
            }
        }
    }

    func readPass(_ request: ReadPass, _ context: HandlerContext) async throws -> ReadPassReply {
        let (tenant, now) = (TenantID(request.tenant), now())
        return try await store.read { records in
            let person = try records.needPerson(request.personID, tenant: tenant)
            guard let pass = try records.usablePass(of: person, at: now) else { return ReadPassReply() }
            return ReadPassReply.with {
                $0.outstanding = true
                $0.id = pass.id
                $0.issuedAtMs = pass.createdAt.milliseconds
                $0.expiresAtMs = pass.expiresAt.milliseconds
                $0.usableOnce = pass.isUsableOnce
            }
        }
    }

    /// The pass opens nothing any more, also for who is proving it at this moment; sessions that it has opened stay. Harmless where none
    /// is out.
    func withdrawPass(_ request: WithdrawPass, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            let person = try change.records.needPerson(request.personID, tenant: tenant)
            guard let pass = try change.records.usablePass(of: person, at: change.at) else { return Wire.Empty() }
            try change.records.deletePass(of: person.id, tenant: tenant)
            try change.audit(
                request.actor, "pass.withdraw", tenant: tenant, target: person.id.rawValue,
                before: pass.auditDocument(of: person))
            return Wire.Empty()
        }
    }
}

extension RegistrationRecords {
    fileprivate func usablePass(of person: StoredPerson, at time: Timestamp) throws -> StoredPass? {
        try pass(of: person.id, tenant: person.tenant).flatMap { $0.isUsable(at: time) ? $0 : nil }
    }
}

extension StoredPass {
    fileprivate func auditDocument(of person: StoredPerson) -> JSONValue {
        [
            "username": .string(person.username), "id": .string(id), "expiresAt": .string(expiresAt.description),
            "usableOnce": .bool(isUsableOnce),
        ]
    }
}
