import Domain
import Logging
import Messaging
import Proofs
import ServiceKit
import Storage
import SwiftProtobuf
import Telemetry
import Wire

/// VerifyCode: is this the offline code of one of the person's phones, now, and for the first time?
struct CodeHandler: Sendable {
    let store: any Store<any VerifierRecords>
    let caller: any ServiceCaller
    let tenants: any Tenants
    let configuration: VerifierConfiguration
    let metrics: VerifierMetrics
    let logger: Logger
    let now: @Sendable () -> Timestamp

    func handle(_ request: VerifyCode, _ context: HandlerContext) async throws -> VerifyCodeReply {
        let outcome = try await outcome(request, context)
        metrics.codes.increment(outcome.label)
        return try outcome.reply()
    }

    private func outcome(_ request: VerifyCode, _ context: HandlerContext) async throws -> CodeOutcome {
        let settings = try tenants.tenant(TenantID(request.tenant)).settings
        // A code alone where the password is needed is not looked at: it uses no step and counts as no failure.
        guard !request.passwordRequired || request.hasPassword else { return .invalid }

        let attempt = try CodeAttempt(request, context.call)
        let throttle = CodeThrottle(settings: settings)
        let time = now()
        let early = try await store.lookUp { records -> CodeOutcome? in
            if let outcome = try attempt.repeated(records) { return outcome }
            if try attempt.isAccepted(records) != nil { return nil }
            return throttle.wait(
                try records.codeFailures(tenant: attempt.tenant, username: attempt.username), now: time
            )
            .map(CodeOutcome.throttled)
        }
        if let early { return early }

        let isPasswordRight = try await isPasswordRight(request, context)
        let candidates = try await candidates(request, settings, context)
        let findings = CodeAttempt.Findings(
            throttle: throttle, isPasswordRight: isPasswordRight, candidates: candidates)
        let decidedAt = now()
        let configuration = configuration
        let outcome = try await store.write(until: context.call.deadline) { records in
            try attempt.decide(records, findings, at: decidedAt, keeping: configuration)
        }
        if outcome == .invalid {
            logger.info("code refused", metadata: ["requestId": "\(context.call.originID)"])
        }
        return outcome
    }

    /// Registration counts wrong passwords and refuses when there are too many; that refusal is passed on.
    private func isPasswordRight(_ request: VerifyCode, _ context: HandlerContext) async throws -> Bool {
        guard request.passwordRequired else { return true }
        let question = VerifyPassword.with {
            $0.tenant = request.tenant
            $0.username = request.username
            $0.password = request.password
        }
        return try await caller.call(question, context.call.child(VerifyPassword.method.id)).correct
    }

    /// The steps whose code was typed, over all phones of the person. A person who does not exist, or may use no codes, costs the
    /// same question and the same arithmetic.
    private func candidates(
        _ request: VerifyCode, _ settings: TenantSettings, _ context: HandlerContext
    ) async throws -> [CodeAttempt.Candidate] {
        let time = now()
        var candidates: [CodeAttempt.Candidate] = []
        var isChecked = false
        for secret in try await secrets(request, context) {
            guard let algorithm = CodeAlgorithm(rawValue: secret.algorithm),
                let password = TimeBasedPassword(
                    secret: Array(secret.secret), algorithm: algorithm, digits: Int(secret.digits),
                    period: Int(secret.period))
            else {
                logger.error(
                    "offline code not readable",
                    metadata: ["requestId": "\(context.call.originID)", "device": "\(secret.deviceID)"])
                continue
            }
            isChecked = true
            if let step = password.step(of: request.code, at: time, window: settings.offlineCodeWindowSteps) {
                candidates.append(
                    .init(device: DeviceID(secret.deviceID), deviceName: secret.deviceName, step: step))
            }
        }
        if !isChecked { _ = Self.nobody?.step(of: request.code, at: time, window: settings.offlineCodeWindowSteps) }
        return request.personID.isEmpty ? [] : candidates
    }

    private static let nobody = TimeBasedPassword(secret: [UInt8](repeating: 0, count: 20))

    private func secrets(_ request: VerifyCode, _ context: HandlerContext) async throws -> [OfflineSecret] {
        let question = ReadOfflineSecrets.with {
            $0.tenant = request.tenant
            $0.personID = request.personID
        }
        do {
            return try await caller.call(question, context.call.child(ReadOfflineSecrets.method.id)).secrets
        } catch {
            guard error.code == .notFound || error.code == .malformed else { throw error }
            return []
        }
    }
}
