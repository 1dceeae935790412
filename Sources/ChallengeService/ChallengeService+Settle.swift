import Domain
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension ChallengeService {
    /// A phone's genuine answer. The order of checks is `ChallengeMachine.answer`; here is what it looks at.
    func settle(_ request: Settle, _ context: HandlerContext) async throws -> SettleReply {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        guard let decision = Decision(rawValue: request.decision) else {
            throw ServiceError(.malformed, "unknown decision")
        }
        let confirmAt = now() + configuration.confirmGrace
        let settlement = try await write(tenant, context.call) {
            (transaction: inout ChallengeTransaction) -> Settlement in
            try Settlement(request, decision, in: &transaction, confirmAt: confirmAt)
        }
        // A phone's answer comes in a trace of its own.
        TraceContext.linkActiveSpan(to: settlement.challenge?.trace)
        // Whoever repeats an answer may have lost the word of the first one: that it was committed was never heard here, or by nobody.
        if case .repeated = settlement.effect { tell(of: ChallengeID(request.challengeID)) }
        let reply = try settlement.reply()
        if let challenge = settlement.challenge, challenge.factor == nil, reply.status != .pending {
            // What a 200 reported is visible to the next call: registration commits first, also for a retry that finds it undone.
            try await confirm(challenge, settlement.confirmSequence, context.call)
        }
        return SettleReply.with {
            $0.status = reply.status.rawValue
            $0.reason = reply.reason?.rawValue ?? ""
            $0.purpose = settlement.challenge?.purpose.rawValue ?? ""
            $0.repeatedAnswer = settlement.firstAnsweredAt != nil
            $0.answeredAtMs = (settlement.firstAnsweredAt ?? settlement.time).milliseconds
        }
    }

    /// What an answer came to before, found by its bytes: their signature was checked then. `notFound` when it came to nothing.
    func readAnswer(_ request: ReadAnswer, _ context: HandlerContext) async throws -> SettleReply {
        let (tenant, id) = (TenantID(request.tenant), ChallengeID(request.challengeID))
        let challenge = try await store.lookUp { try $0.challenge(id, tenant: tenant) }
        guard let challenge,
            let first = challenge.machine.state.answered.first(where: { $0.digest == Array(request.answerDigest) })
        else { throw ServiceError(.notFound, "no such answer") }
        return SettleReply.with {
            $0.status = first.reply.status.rawValue
            $0.reason = first.reply.reason?.rawValue ?? ""
            $0.purpose = challenge.purpose.rawValue
            $0.repeatedAnswer = true
            $0.answeredAtMs = first.at.milliseconds
        }
    }

    /// Has registration commit the effect of a device's own challenge. The outbox repeats it after a crash, under the same id.
    private func confirm(_ challenge: ChallengeRecord, _ sequence: Int64?, _ call: CallContext) async throws {
        var child = OutboxDispatcher.context(
            .confirm, challenge.id, origin: call.originID, timeout: configuration.deliveryTimeout)
        child.deadline = min(call.deadline, child.deadline)
        child.trace = call.trace
        if let error = await failure(of: ConfirmDevice(effectOf: challenge), child) {
            guard OutboxDispatcher.mayGoThroughLater(error) else { throw error }
            throw ServiceError(
                .unavailable, "the answer is kept; its effect is not complete yet", retryAfter: .seconds(1))
        }
        // A row that is left, after a crash here or for a retry, repeats a call that registration takes as one.
        if let sequence { try await store.write { try $0.deleteMessage(sequence) } }
    }
}

extension ChallengeService {
    private func failure(of request: ConfirmDevice, _ call: CallContext) async -> ServiceError? {
        do {
            _ = try await caller.call(request, call)
            return nil
        } catch {
            return error
        }
    }
}

/// What one answer did, inside its transaction. Refusals are values here: an expiry found on the way is still stored.
private struct Settlement: Sendable {
    let challenge: ChallengeRecord?
    let effect: ChallengeMachine.AnswerEffect
    let confirmSequence: Int64?
    let time: Timestamp

    /// When the answer that this one repeats had its effect.
    var firstAnsweredAt: Timestamp? { if case .repeated(_, let at) = effect { at } else { nil } }

    init(_ request: Settle, _ decision: Decision, in transaction: inout ChallengeTransaction, confirmAt: Timestamp)
        throws
    {
        let id = ChallengeID(request.challengeID)
        time = transaction.time
        guard var challenge = try transaction.records.challenge(id, tenant: transaction.tenant.id) else {
            (challenge, effect, confirmSequence) = (nil, .refused, nil)
            return
        }
        let answer = ChallengeMachine.Answer(
            digest: sha256(Array(request.answer.utf8)), decision: decision,
            isAllowed: Self.isAllowed(request, challenge),
            obstacle: Self.obstacle(request, challenge, transaction.tenant),
            numberMatches: constantTimeEquals(Array(request.number.utf8), Array(challenge.number.utf8)))
        effect = challenge.machine.answer(answer, at: transaction.time)
        var change = ChallengeTransaction.Change(
            device: DeviceID(request.deviceID), deviceName: request.facts.name, confirmAt: confirmAt)
        switch effect {
        case .settled(let reply):
            change.reason = reply.reason.map(SignInReason.init)
            change.budget = RequestBudget.Event(decision, reply)
            if reply.status == .approved {
                challenge.receipt = .init(
                    device: DeviceID(request.deviceID), answer: request.answer, key: Array(request.deviceKey))
            }
            try transaction.settle(challenge, change)
        case .tryUsed:
            change.reason = .wrongNumber
            try transaction.store(challenge, change)
        case .held(let obstacle):
            try transaction.note(SignInReason(obstacle), on: challenge)
        case .expired:
            try transaction.lapse(challenge)
        case .repeated, .refused, .alreadySettled:
            break
        }
        self.challenge = challenge
        confirmSequence = transaction.confirmSequence
    }

    func reply() throws(ServiceError) -> ChallengeMachine.Reply {
        switch effect {
        case .settled(let reply), .tryUsed(let reply), .repeated(let reply, at: _): return reply
        case .refused, .held(.policy): throw ServiceError(.refused, "the answer is not accepted")
        case .held(.userVerification): throw ServiceError(.refused, "the answer is not accepted")
        case .held(.minimumVersion(let minimum)):
            throw ServiceError(
                .updateRequired, "the app or the operating system is too old", members: ["minimum": minimum])
        case .alreadySettled: throw ServiceError(.settled, "the request has been settled")
        case .expired: throw ServiceError(.expired, "the request has expired")
        }
    }

    /// Whether this device may answer this challenge, and signed the content that was shown.
    private static func isAllowed(_ request: Settle, _ challenge: ChallengeRecord) -> Bool {
        guard let person = challenge.person, person.id == PersonID(request.personID), !request.personBlocked else {
            return false
        }
        guard constantTimeEquals(sha256(challenge.content), Array(request.contentDigest)) else { return false }
        let isActive = request.deviceState == DeviceState.active.rawValue
        switch challenge.purpose {
        // A device that the request was not meant for was removed, or added, or lost phone sign-in before it began: the verifier may
        // not have heard of that yet.
        case .signIn: return isActive && request.phoneSignIn && challenge.targets.contains(DeviceID(request.deviceID))
        case .secondFactor: return isActive && challenge.targets.contains(DeviceID(request.deviceID))
        // A device that waits for its confirmation answers its own registration; a confirmed one repeats its answer.
        case .registration: return challenge.onlyDevice == DeviceID(request.deviceID)
        case .phoneSignInSetup: return isActive && challenge.onlyDevice == DeviceID(request.deviceID)
        }
    }

    /// What an approval must pass. The policy is the one in force now, not the one at begin.
    private static func obstacle(_ request: Settle, _ challenge: ChallengeRecord, _ tenant: TenantView)
        -> ChallengeMachine.Obstacle?
    {
        if let factor = challenge.factor, let person = challenge.person,
            !tenant.policy.verdict(person: person.id, groups: person.groups).allowsPush(factor)
        {
            return .policy
        }
        guard let platform = Platform(rawValue: request.facts.platform) else { return .minimumVersion("") }
        let missed = tenant.settings.missedMinimum(
            platform: platform, osVersion: request.facts.osVersion, appVersion: request.facts.appVersion)
        if let missed { return .minimumVersion(missed.minimum) }
        if tenant.settings.profile == .nist80063b4, !request.userVerified { return .userVerification }
        return nil
    }
}

extension RequestBudget.Event {
    init(_ decision: Decision, _ reply: ChallengeMachine.Reply) {
        switch decision {
        case .report: self = .reported
        case .approve where reply.status == .approved: self = .approvedByPush
        case .approve, .decline: self = .missed
        }
    }
}

extension SignInReason {
    init(_ obstacle: ChallengeMachine.Obstacle) {
        switch obstacle {
        case .policy: self = .policyChanged
        case .minimumVersion: self = .updateRequired
        case .userVerification: self = .userVerificationMissing
        }
    }
}
