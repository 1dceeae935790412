import Domain
import Messaging
import Proofs
import Storage
import SwiftProtobuf
import Wire

/// How one try with an offline code ended; stored, so that a repeat of the request ends the same way and counts once.
enum CodeOutcome: Hashable, Sendable {
    case accepted(DeviceID, name: String)
    case invalid
    case throttled(Duration)

    var label: String {
        switch self {
        case .accepted: "accepted"
        case .invalid: "invalid"
        case .throttled: "throttled"
        }
    }

    func reply() throws(ServiceError) -> VerifyCodeReply {
        switch self {
        case .accepted(let device, let name):
            return VerifyCodeReply.with { ($0.deviceID, $0.deviceName) = (device.rawValue, name) }
        case .invalid: throw ServiceError(.invalidCode, "the code is not valid")
        case .throttled(let wait): throw ServiceError(.tooManyAttempts, "too many attempts", retryAfter: wait)
        }
    }

    var stored: [UInt8] {
        switch self {
        case .accepted(let device, let name): Array("accepted \(device) \(name)".utf8)
        case .invalid: Array("invalid".utf8)
        case .throttled(let wait): Array("throttled \(wait.milliseconds)".utf8)
        }
    }

    /// Throws `corrupt` for what `stored` never wrote.
    init(stored: [UInt8]) throws(StorageError) {
        let words = String(decoding: stored, as: UTF8.self)
            .split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("accepted", 3): self = .accepted(DeviceID(String(words[1])), name: String(words[2]))
        case ("invalid", 1): self = .invalid
        case ("throttled", 2):
            guard let milliseconds = Int64(words[1]) else { throw .corrupt }
            self = .throttled(.milliseconds(milliseconds))
        default: throw .corrupt
        }
    }
}

/// One try, with everything that was found out before the store decides. The decision is one transaction: of two tries with the
/// same code one wins, and no number of parallel tries gets past the counter.
struct CodeAttempt: Sendable {
    /// A step of one device whose code was typed.
    struct Candidate: Hashable, Sendable {
        let device: DeviceID
        let deviceName: String
        let step: Int64
    }

    let tenant: TenantID
    let challenge: ChallengeID
    let username: FoldedUsername
    let codeDigest: [UInt8]
    let requestID: RequestID
    let originID: RequestID
    let bodyDigest: [UInt8]
    let isPasswordRequired: Bool

    init(_ request: VerifyCode, _ call: CallContext) throws {
        tenant = TenantID(request.tenant)
        challenge = ChallengeID(request.challengeID)
        username = FoldedUsername(request.username)
        codeDigest = contentDigest(Array("\(request.challengeID)\n\(request.code)".utf8))
        requestID = call.requestID
        originID = call.originID
        isPasswordRequired = request.passwordRequired
        // Without the password: its bare digest must not lie in a store.
        var body = request
        body.clearPassword()
        bodyDigest = contentDigest(try body.serializedBytes())
    }

    /// What an earlier delivery of this very request came to.
    func repeated(_ records: any VerifierRecords) throws -> CodeOutcome? {
        guard let memo = try records.memo(requestID) else { return nil }
        guard memo.fingerprint == bodyDigest else {
            throw ServiceError(.idempotencyMismatch, "another request had this id")
        }
        return try CodeOutcome(stored: memo.reply)
    }

    /// Whether this code settled this challenge before.
    func isAccepted(_ records: any VerifierRecords) throws -> CodeAcceptance? {
        guard let acceptance = try records.acceptance(tenant: tenant, challenge: challenge),
            acceptance.codeDigest == codeDigest
        else {
            return nil
        }
        return acceptance
    }

    func decide(_ records: any VerifierRecords, _ findings: Findings, at now: Timestamp, keeping: VerifierConfiguration)
        throws -> CodeOutcome
    {
        if let outcome = try repeated(records) { return outcome }
        let outcome = try fresh(records, findings, at: now, keeping: keeping)
        let until = now + keeping.memoRetention
        try records.insert(
            Memo(
                request: requestID, fingerprint: bodyDigest, reply: outcome.stored, replyUntil: until, keptUntil: until)
        )
        return outcome
    }

    /// What the other services said.
    struct Findings: Sendable {
        let throttle: CodeThrottle
        /// True when none was needed.
        let isPasswordRight: Bool
        let candidates: [Candidate]
    }

    private func fresh(
        _ records: any VerifierRecords, _ findings: Findings, at now: Timestamp, keeping: VerifierConfiguration
    ) throws -> CodeOutcome {
        if findings.isPasswordRight, let acceptance = try isAccepted(records) {
            return .accepted(acceptance.device, name: acceptance.deviceName)
        }
        let failures = try records.codeFailures(tenant: tenant, username: username)
        if let wait = findings.throttle.wait(failures, now: now) { return .throttled(wait) }

        if findings.isPasswordRight, try records.acceptance(tenant: tenant, challenge: challenge) == nil {
            for candidate in findings.candidates
            where try records.advance(candidate.device, tenant: tenant, to: candidate.step) {
                try accept(candidate, records, until: now + keeping.acceptanceRetention)
                return .accepted(candidate.device, name: candidate.deviceName)
            }
        }
        try fail(records, failures, findings, at: now)
        return .invalid
    }

    private func accept(_ candidate: Candidate, _ records: any VerifierRecords, until: Timestamp) throws {
        try records.insert(
            CodeAcceptance(
                tenant: tenant, challenge: challenge, codeDigest: codeDigest, device: candidate.device,
                deviceName: candidate.deviceName, keptUntil: until))
        _ = try records.deleteCodeFailures(tenant: tenant, username: username)
    }

    private func fail(
        _ records: any VerifierRecords, _ failures: CodeFailures?, _ findings: Findings, at now: Timestamp
    ) throws {
        let before = failures ?? CodeFailures(tenant: tenant, username: username, lastAt: now, nextAllowedAt: now)
        // Who does not know the password cannot lock a person out.
        let after = findings.throttle.failed(
            before, countsTowardsLock: !isPasswordRequired || findings.isPasswordRight, now: now)
        try records.save(after)
        guard after.isLocked, !before.isLocked else { return }
        try records.append(
            AuditRecord(
                tenant: tenant, at: now, actorKind: "service", actorID: "verifier", actorName: "verifier",
                action: "codes.lock",
                target: username.rawValue, afterJSON: after.auditJSON, requestID: originID.description))
    }
}

extension CodeFailures {
    /// What the audit log shows of a counter.
    var auditJSON: String { #"{"failures":\#(count),"locked":\#(isLocked)}"# }
}
