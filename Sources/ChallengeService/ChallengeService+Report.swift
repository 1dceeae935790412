import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension ChallengeService {
    /// Throws `notFound` for what `reportSignIn` would: asked first, so that nothing follows from a report of what is nobody's.
    func checkSignIn(_ request: CheckSignIn, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        let (id, person) = (ChallengeID(request.challengeID), PersonID(request.personID))
        _ = try await store.lookUp { try $0.reportable(id, by: person, tenant: tenant.id) }
        return Wire.Empty()
    }

    /// "This was not me", said of a line of the person's own list: what of it is still open ends, the phones fall silent and numbers
    /// get longer, as after a report on a phone. Said of a phone that was added, or set up, it is only written down: what is to be done is
    /// the phone's removal. Saying it again changes nothing, so that a repeat needs no memory.
    func reportSignIn(_ request: ReportSignIn, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        let (id, person) = (ChallengeID(request.challengeID), PersonID(request.personID))
        try await write(tenant, context.call) { try $0.report(id, by: person) }
        return Wire.Empty()
    }
}

extension ChallengeRecords {
    /// A line of the person's own list that they may report: of phones, only one that was added or set up.
    fileprivate func reportable(_ id: ChallengeID, by person: PersonID, tenant: TenantID) throws -> SignInRecord {
        guard let line = try signIn(id), line.tenant == tenant, line.person == person,
            line.purpose.factor != nil || line.status == .approved
        else {
            throw ServiceError(.notFound, "no such sign-in")
        }
        return line
    }
}

extension ChallengeTransaction {
    fileprivate mutating func report(_ id: ChallengeID, by person: PersonID) throws {
        let line = try records.reportable(id, by: person, tenant: tenant.id)
        guard line.reason != .reported else { return }
        guard line.purpose.factor != nil else {
            return try records.update(signIn: id, SignInChange(reason: .reported))
        }
        if let challenge = try records.challenge(id, tenant: tenant.id), try !lapse(challenge) {
            try revoke(challenge, .reported)
        }
        // Whatever of it has ended, and whyever.
        try records.update(signIn: id, SignInChange(reason: .reported))
        try record(.reported, at: time, of: person)
    }
}
