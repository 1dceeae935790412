import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension ChallengeService {
    /// The person lost the right to sign in, or one device, or that device its phone sign-in. Keyed, because it acts on what is open:
    /// a late repeat must not end what was begun since.
    func cancelForPerson(_ request: CancelForPerson, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        guard let cause = SignInReason(rawValue: request.cause) else {
            throw ServiceError(.malformed, "unknown cause")
        }
        let time = now()
        let (reply, effects) = try await once.perform(request, context) {
            (records: any ChallengeRecords) -> (Wire.Empty, ChallengeTransaction.Effects) in
            let (_, effects) = try self.transaction(records, tenant, at: time, for: context.call) {
                try $0.revoke(request, cause)
            }
            return (Wire.Empty(), effects)
        }
        if let effects { perform(effects) }
        if request.deviceID.isEmpty {
            let until = try await once.effectTime(of: context.call.requestID) ?? time
            try await cancelDecoys(of: PersonID(request.personID), until: until, cause, tenant, context.call)
        }
        return reply
    }

    /// Apart from what counts and a bounded batch at a time: whoever fills a person with decoys must not delay the end of a request
    /// that could still be approved.
    private func cancelDecoys(
        of person: PersonID, until: Timestamp, _ cause: SignInReason, _ tenant: TenantView, _ call: CallContext
    ) async throws {
        let limit = configuration.purgeBatchMax
        var found = 0
        repeat {
            found = try await write(tenant, call) { (transaction: inout ChallengeTransaction) -> Int in
                let decoys = try transaction.records.pendingDecoys(
                    tenant: tenant.id, person: person, createdUntil: until, limit: limit)
                for decoy in decoys where try !transaction.lapse(decoy) { try transaction.revoke(decoy, cause) }
                return decoys.count
            }
        } while found == limit
    }
}

extension ChallengeTransaction {
    fileprivate mutating func revoke(_ request: CancelForPerson, _ cause: SignInReason) throws {
        let device = request.deviceID.nonEmpty.map(DeviceID.init(rawValue:))
        for challenge in try records.liveChallenges(tenant: tenant.id, person: PersonID(request.personID)) {
            if try lapse(challenge) { continue }
            guard let device else {
                try revoke(challenge, cause)
                continue
            }
            // A device without phone sign-in is still a second factor.
            if cause == .phoneSignInDisabled, challenge.purpose != .signIn { continue }
            try remove(device, from: challenge, cause)
        }
    }

    /// Ends what the person could still answer or redeem.
    mutating func revoke(_ challenge: ChallengeRecord, _ cause: SignInReason) throws {
        var revoked = challenge
        guard revoked.machine.revoke(at: time) else { return }
        if challenge.machine.state.status == .pending {
            try settle(revoked, Change(reason: cause))
        } else {
            try store(revoked, Change(reason: cause))
        }
    }

    /// Ends a request that no other device could answer; otherwise the others go on showing it.
    private mutating func remove(_ device: DeviceID, from challenge: ChallengeRecord, _ cause: SignInReason) throws {
        guard challenge.machine.state.status == .pending, challenge.targets.contains(device) else { return }
        var changed = challenge
        if challenge.targets.count == 1 {
            guard changed.machine.cancel(at: time) == .canceled else { return }
            try settle(changed, Change(reason: cause))
        } else {
            changed.targets.removeAll { $0 == device }
            try store(changed, Change())
        }
    }
}
