import Domain
import Foundation
import Logging
import Messaging
import Proofs
import ServiceKit
import Storage
import SwiftProtobuf
import Telemetry
import Wire

/// VerifyAnswer: is this answer signed by a device of this tenant, for this challenge? What it means is challenge's to decide.
struct AnswerHandler: Sendable {
    let store: any Store<any VerifierRecords>
    let caller: any ServiceCaller
    let devices: DeviceKeys
    let tenants: any Tenants
    let configuration: VerifierConfiguration
    let metrics: VerifierMetrics
    let logger: Logger
    let now: @Sendable () -> Timestamp

    func handle(_ request: VerifyAnswer, _ context: HandlerContext) async throws -> VerifyAnswerReply {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        let answer = try answer(request)
        guard let device = try await devices.device(answer.device, tenant: tenant.id, context.call) else {
            return try await firstReply(request, context)
        }
        let claims = try genuine(answer, of: device, request, context)
        if tenant.settings.profile == .nist80063b4 {
            try await refuseDisabled(device, request.answer, tenant.id, context)
        }

        let reply: SettleReply
        do {
            reply = try await settle(request, device, claims, tenant.id, context.call)
        } catch {
            metrics.answers.increment("not-settled")
            throw error
        }
        metrics.answers.increment("settled")
        try await count(reply, request, device, tenant)
        return VerifyAnswerReply.with {
            $0.status = reply.status
            $0.reason = reply.reason
        }
    }

    private func answer(_ request: VerifyAnswer) throws -> DeviceAnswer {
        do {
            return try DeviceAnswer(request.answer)
        } catch {
            metrics.answers.increment(error.rawValue)
            throw ServiceError(.malformed, "the answer is not a signed answer")
        }
    }

    private func genuine(
        _ answer: DeviceAnswer, of device: KnownDevice, _ request: VerifyAnswer, _ context: HandlerContext
    ) throws -> AnswerClaims {
        do {
            return try answer.verify(
                key: device.key, audience: request.audience, challenge: ChallengeID(request.challengeID))
        } catch {
            throw refused(error.rawValue, context)
        }
    }

    /// A device that is gone may still send its last answer again: denying its registration removed it, and the reply may be lost.
    /// The very bytes that had a reply get that reply; anything else is refused.
    private func firstReply(_ request: VerifyAnswer, _ context: HandlerContext) async throws -> VerifyAnswerReply {
        let question = ReadAnswer.with {
            $0.tenant = request.tenant
            $0.challengeID = request.challengeID
            $0.answerDigest = Data(contentDigest(Array(request.answer.utf8)))
        }
        let first: SettleReply
        do {
            first = try await caller.call(question, context.call.child(ReadAnswer.method.id))
        } catch {
            throw error.code == .notFound ? refused("unknown-device", context) : error
        }
        metrics.answers.increment("repeated")
        return VerifyAnswerReply.with {
            $0.status = first.status
            $0.reason = first.reason
        }
    }

    /// One neutral text for every reason; the log has the exact one.
    private func refused(_ reason: String, _ context: HandlerContext) -> ServiceError {
        metrics.answers.increment(reason)
        logger.info("answer refused", metadata: ["requestId": "\(context.call.originID)", "reason": "\(reason)"])
        return ServiceError(.refused, "the answer is not accepted")
    }

    /// Which rights and which version an answer needs is challenge's to say, which knows what was asked. What it refuses a device that may
    /// have got them since it was read, it is asked once more with what registration says now.
    private func settle(
        _ request: VerifyAnswer, _ device: KnownDevice, _ claims: AnswerClaims, _ tenant: TenantID, _ call: CallContext
    ) async throws(ServiceError) -> SettleReply {
        do {
            return try await caller.call(settle(request, device, claims), call.child(Settle.method.id))
        } catch {
            guard error.code == .updateRequired || error.code == .refused && !device.hasAllRights else { throw error }
            let id = DeviceID(device.record.id)
            let isOther = { (known: KnownDevice) in !known.isJudged(as: device) }
            guard let read = try await devices.device(id, tenant: tenant, call, needing: isOther), isOther(read) else {
                throw error
            }
            return try await caller.call(settle(request, read, claims), call.child(Settle.method.id, index: 1))
        }
    }

    private func settle(_ request: VerifyAnswer, _ device: KnownDevice, _ claims: AnswerClaims) -> Settle {
        Settle.with {
            $0.tenant = request.tenant
            $0.challengeID = request.challengeID
            $0.deviceID = device.record.id
            $0.personID = device.record.personID
            $0.decision = claims.decision.rawValue
            $0.number = claims.number ?? ""
            $0.contentDigest = Data(claims.contentDigest)
            $0.answer = request.answer
            $0.deviceKey = device.record.publicKey
            $0.facts = device.record.facts
            $0.userVerified = claims.userVerified
            $0.phoneSignIn = device.record.phoneSignIn
            $0.deviceState = device.record.state
            $0.personBlocked = device.isPersonBlocked
            $0.signedAtMs = claims.issuedAt.milliseconds
        }
    }

    // MARK: counters

    private func count(_ reply: SettleReply, _ request: VerifyAnswer, _ device: KnownDevice, _ tenant: TenantView)
        async throws
    {
        if tenant.settings.profile == .nist80063b4 {
            try await countNumber(reply, answer: request.answer, device, tenant.id)
        }
        guard reply.status == ChallengeStatus.approved.rawValue,
            reply.purpose == Purpose.signIn.rawValue || reply.purpose == Purpose.secondFactor.rawValue
        else { return }
        let answeredAt = Timestamp(milliseconds: reply.answeredAtMs)
        try await forgiveCodes(device, until: answeredAt, isRepeated: reply.repeatedAnswer, tenant)
    }

    /// An approval by push ends the delay and the lock of its person's codes. Only for failures until it was accepted: an answer
    /// stays on file as a receipt, and sending it again later must not clear what was counted since. What a clock counted that was ahead
    /// and has been set back was counted before the first answer; before a repeated one nobody knows.
    private func forgiveCodes(
        _ device: KnownDevice, until: Timestamp, isRepeated: Bool, _ tenant: TenantView
    ) async throws {
        let username = FoldedUsername(device.username)
        let failures = try await store.lookUp { try $0.codeFailures(tenant: tenant.id, username: username) }
        let now = now()
        let isForgiven = { @Sendable (failures: CodeFailures) in
            failures.lastAt <= until || (!isRepeated && failures.lastAt > now)
        }
        guard let failures, isForgiven(failures) else { return }
        try await store.write { records in
            guard let failures = try records.codeFailures(tenant: tenant.id, username: username), isForgiven(failures)
            else { return }
            _ = try records.deleteCodeFailures(tenant: tenant.id, username: username)
        }
    }

    /// The answer that disabled the device may still be repeated: it gets its first reply.
    private func refuseDisabled(_ device: KnownDevice, _ answer: String, _ tenant: TenantID, _ context: HandlerContext)
        async throws
    {
        let id = DeviceID(device.record.id)
        let failures = try await store.lookUp { try $0.numberFailures(tenant: tenant, device: id) }
        guard let failures, failures.count >= configuration.numberFailuresMax,
            failures.lastAnswer != contentDigest(Array(answer.utf8))
        else { return }
        throw refused("disabled-device", context)
    }

    /// Wrong numbers in a row disable a device. A device that is bound again has a new id, and starts from nothing. An answer that is
    /// sent again counts, and forgives, as of when it was accepted: nothing when a later one has been counted.
    private func countNumber(_ reply: SettleReply, answer: String, _ device: KnownDevice, _ tenant: TenantID)
        async throws
    {
        let id = DeviceID(device.record.id)
        let digest = contentDigest(Array(answer.utf8))
        let isWrong = reply.reason == DenialReason.wrongNumber.rawValue
        guard isWrong || reply.status == ChallengeStatus.approved.rawValue else { return }
        let (at, isRepeated) = (Timestamp(milliseconds: reply.answeredAtMs), reply.repeatedAnswer)
        try await store.write { records in
            var failures =
                try records.numberFailures(tenant: tenant, device: id)
                ?? NumberFailures(
                    tenant: tenant, device: id, count: 0, lastAnswer: [], lastAt: Timestamp(milliseconds: 0))
            guard isWrong || failures.count > 0, !isRepeated || at > failures.lastAt else { return }
            failures.count = isWrong ? failures.count + 1 : 0
            if isWrong { failures.lastAnswer = digest }
            failures.lastAt = max(at, failures.lastAt)
            try records.save(failures)
        }
    }
}
