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
        let (device, claims) = try await genuine(request, tenant.id, context)
        if tenant.settings.profile == .nist80063b4 {
            try await refuseDisabled(device, request.answer, tenant.id, context)
        }

        let settle = settle(request, device, claims)
        let reply: SettleReply
        do {
            reply = try await caller.call(settle, context.call.child(Settle.method.id))
        } catch {
            metrics.answers.increment("not-settled")
            throw error
        }
        metrics.answers.increment("settled")
        try await count(reply, request, device, claims, tenant)
        return VerifyAnswerReply.with {
            $0.status = reply.status
            $0.reason = reply.reason
        }
    }

    private func genuine(_ request: VerifyAnswer, _ tenant: TenantID, _ context: HandlerContext) async throws -> (
        KnownDevice, AnswerClaims
    ) {
        let answer: DeviceAnswer
        do {
            answer = try DeviceAnswer(request.answer)
        } catch {
            metrics.answers.increment(error.rawValue)
            throw ServiceError(.malformed, "the answer is not a signed answer")
        }
        guard let device = try await devices.device(answer.device, tenant: tenant, context.call) else {
            throw refused("unknown-device", context)
        }
        do {
            let claims = try answer.verify(
                key: device.key, audience: request.audience, challenge: ChallengeID(request.challengeID))
            return (device, claims)
        } catch {
            throw refused(error.rawValue, context)
        }
    }

    /// One neutral text for every reason; the log has the exact one.
    private func refused(_ reason: String, _ context: HandlerContext) -> ServiceError {
        metrics.answers.increment(reason)
        logger.info("answer refused", metadata: ["requestId": "\(context.call.originID)", "reason": "\(reason)"])
        return ServiceError(.refused, "the answer is not accepted")
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

    private func count(
        _ reply: SettleReply, _ request: VerifyAnswer, _ device: KnownDevice, _ claims: AnswerClaims,
        _ tenant: TenantView
    ) async throws {
        if tenant.settings.profile == .nist80063b4 {
            try await countNumber(reply, answer: request.answer, device, tenant.id)
        }
        guard reply.status == ChallengeStatus.approved.rawValue,
            reply.purpose == Purpose.signIn.rawValue || reply.purpose == Purpose.secondFactor.rawValue
        else { return }
        try await forgiveCodes(device, claims, tenant)
    }

    /// An approval by push ends the delay and the lock of its person's codes. Only for failures up to the time that was signed:
    /// an answer stays on file as a receipt, and sending it again later must not clear what was counted since.
    private func forgiveCodes(_ device: KnownDevice, _ claims: AnswerClaims, _ tenant: TenantView) async throws {
        let username = FoldedUsername(device.username)
        let until = claims.issuedAt + .seconds(tenant.settings.clockSkewSeconds)
        let failures = try await store.read { try $0.codeFailures(tenant: tenant.id, username: username) }
        guard let failures, failures.lastAt <= until else { return }
        try await store.write { records in
            guard let failures = try records.codeFailures(tenant: tenant.id, username: username),
                failures.lastAt <= until
            else { return }
            _ = try records.deleteCodeFailures(tenant: tenant.id, username: username)
        }
    }

    /// The answer that disabled the device may still be repeated: it gets its first reply.
    private func refuseDisabled(_ device: KnownDevice, _ answer: String, _ tenant: TenantID, _ context: HandlerContext)
        async throws
    {
        let id = DeviceID(device.record.id)
        let failures = try await store.read { try $0.numberFailures(tenant: tenant, device: id) }
        guard let failures, failures.count >= configuration.numberFailuresMax,
            failures.lastAnswer != contentDigest(Array(answer.utf8))
        else { return }
        throw refused("disabled-device", context)
    }

    /// Wrong numbers in a row disable a device. A device that is bound again has a new id, and starts from nothing.
    private func countNumber(_ reply: SettleReply, answer: String, _ device: KnownDevice, _ tenant: TenantID)
        async throws
    {
        let id = DeviceID(device.record.id)
        let digest = contentDigest(Array(answer.utf8))
        let isWrong = reply.reason == DenialReason.wrongNumber.rawValue
        guard isWrong || reply.status == ChallengeStatus.approved.rawValue else { return }
        try await store.write { records in
            guard isWrong else { return try records.deleteNumberFailures(tenant: tenant, device: id) }
            var failures =
                try records.numberFailures(tenant: tenant, device: id)
                ?? NumberFailures(tenant: tenant, device: id, count: 0, lastAnswer: [])
            guard failures.lastAnswer != digest else { return }
            failures.count += 1
            failures.lastAnswer = digest
            try records.save(failures)
        }
    }
}
