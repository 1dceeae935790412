import Domain
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension ChallengeService {
    /// An offline code instead of the phone. Whether the person exists, and may use codes, makes no difference to what is done.
    func submitCode(_ request: SubmitCode, _ context: HandlerContext) async throws -> OutcomeReply {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        let claim = Claim(
            tenant: request.tenant, id: request.id, secretDigest: request.secretDigest, owner: request.owner)
        let challenge = try await store.lookUp { try claim.challenge(in: $0) }
        // Keyed by the request, so that equal codes of two requests do not look equal at rest.
        let digest = sha256(challenge.secretDigest + Array(request.code.utf8))
        let effect = challenge.machine.considerCode(digest: digest, at: now())
        guard effect == .open else { return try Self.codeReply(effect, challenge) }

        // A given password is always checked; it is needed where the code would otherwise be the only factor.
        let isNeeded = challenge.purpose == .signIn && !tenant.settings.offlineCodeAlone
        guard request.hasPassword || !isNeeded else {
            try await note(.passwordMissing, challenge, tenant, context.call)
            throw ServiceError(.invalidCode, "the code or the password is wrong")
        }
        let question = VerifyCode.with {
            $0.tenant = request.tenant
            $0.challengeID = request.id
            $0.username = challenge.username
            $0.personID = challenge.personForCodes(tenant, withPassword: request.hasPassword)?.rawValue ?? ""
            $0.code = request.code
            $0.passwordRequired = request.hasPassword
            if request.hasPassword { $0.password = request.password }
        }
        let accepted: VerifyCodeReply
        switch await verified(question, context.call) {
        case .success(let reply): accepted = reply
        case .failure(let error):
            let reason: SignInReason? =
                error.code == .invalidCode ? .invalidCode : error.code == .tooManyAttempts ? .tooManyAttempts : nil
            if let reason { try await note(reason, challenge, tenant, context.call) }
            throw error
        }
        let (final, finalEffect) = try await write(tenant, context.call) {
            (transaction: inout ChallengeTransaction) -> (ChallengeRecord, ChallengeMachine.CodeEffect) in
            var challenge = try claim.challenge(in: transaction.records)
            let effect = challenge.machine.acceptCode(digest: digest, at: transaction.time)
            switch effect {
            case .open:
                challenge.isPasswordVerified = request.hasPassword
                try transaction.settle(
                    challenge,
                    .init(
                        device: accepted.deviceID.nonEmpty.map(DeviceID.init(rawValue:)),
                        deviceName: accepted.deviceName))
            case .expired: try transaction.lapse(challenge)
            case .repeated, .alreadySettled: break
            }
            return (challenge, effect)
        }
        return try Self.codeReply(finalEffect, final)
    }

    private func verified(_ question: VerifyCode, _ call: CallContext) async -> Result<VerifyCodeReply, ServiceError> {
        do {
            return .success(try await caller.call(question, call.child(VerifyCode.method.id)))
        } catch {
            return .failure(error)
        }
    }

    private func note(_ reason: SignInReason, _ challenge: ChallengeRecord, _ tenant: TenantView, _ call: CallContext)
        async throws
    {
        try await write(tenant, call) { try $0.note(reason, on: challenge) }
    }

    private static func codeReply(_ effect: ChallengeMachine.CodeEffect, _ challenge: ChallengeRecord)
        throws(ServiceError) -> OutcomeReply
    {
        switch effect {
        case .open, .repeated:
            // The first reply, also when the request has been redeemed since.
            return OutcomeReply.with {
                $0.id = challenge.id.rawValue
                $0.status = ChallengeStatus.approved.rawValue
                $0.method = SignInMethod.code.rawValue
                $0.expiresAtMs = challenge.machine.rules.expiresAt.milliseconds
            }
        case .alreadySettled: throw ServiceError(.settled, "the request has been settled")
        case .expired: throw ServiceError(.expired, "the request has expired")
        }
    }
}

extension ChallengeRecord {
    /// Whose codes count for this request, by the policy of now; nil where no code does.
    fileprivate func personForCodes(_ tenant: TenantView, withPassword: Bool) -> PersonID? {
        guard let person, person.mayUseCodes else { return nil }
        // A second factor was begun with the password.
        let isAllowed =
            takesCodeInEveryMode && (withPassword || factor == .secondFactor)
            ? tenant.policy.isSoftwareOathEnabled
            : tenant.policy.verdict(person: person.id, groups: person.groups).allowsCodes
        return isAllowed ? person.id : nil
    }
}
