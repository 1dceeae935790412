import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import SwiftProtobuf
import Wire

/// The sign-in log: every request, its outcome, and the exact reason.
struct AdminSignIns: Sendable {
    let edge: Edge

    func list(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let query = inbound.query
        let (page, from, to) = (try query.page, try query.time("from"), try query.time("to"))
        let status = query["status"] ?? ""
        guard status.isEmpty || ChallengeStatus(rawValue: status) != nil else {
            throw ServiceError(.malformed, "status is not a status of a request")
        }
        let reason = query["reason"] ?? ""
        guard reason.isEmpty || SignInReason(rawValue: reason) != nil else {
            throw ServiceError(.malformed, "reason is not a reason of the log")
        }
        let reply = try await edge.caller.call(
            ListSignIns.with {
                $0.tenant = inbound.tenant.rawValue
                $0.username = query["user"] ?? ""
                $0.status = status
                $0.reason = reason
                $0.fromMs = from?.milliseconds ?? 0
                $0.toMs = to?.milliseconds ?? 0
                $0.page = page
            }, inbound.context())
        return try .json(
            .ok,
            Page(items: reply.entries.compactMap { SignInLogEntry($0) }, next: reply.next.nonEmpty))
    }
}

extension AdminSignIns {
    private static let stepDefault = 3600

    /// How the requests of a range ended and how long people took to answer, step by step. Throws `malformed` and `invalid_value`.
    func summary(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let query = inbound.query
        guard let from = try query.time("from"), let to = try query.time("to") else {
            throw ServiceError(.malformed, "from and to are needed")
        }
        let step = try query.integer("step", in: SignInRange.stepSeconds) ?? Self.stepDefault
        guard let range = SignInRange(from: from, to: to, stepSeconds: step) else {
            throw ServiceError(
                .invalidValue, "from must be before to, with at most \(SignInRange.stepsMax) steps between",
                members: ["member": "to"])
        }
        let reply = try await edge.caller.call(
            SummarizeSignIns.with {
                $0.tenant = inbound.tenant.rawValue
                $0.fromMs = range.from.milliseconds
                $0.toMs = range.to.milliseconds
                $0.stepSeconds = UInt32(range.stepSeconds)
            }, inbound.context())
        return try .json(.ok, SignInSummaryDocument(reply, range))
    }
}

extension SignInSummaryDocument {
    /// With the steps in which nothing was asked.
    init(_ reply: SummarizeSignInsReply, _ range: SignInRange) {
        let steps = Dictionary(reply.steps.map { (Int($0.index), $0) }, uniquingKeysWith: { $1 })
        self.init(
            from: range.from, to: range.to, stepSeconds: range.stepSeconds, complete: reply.complete,
            countedFrom: Timestamp(milliseconds: reply.countedFromMs),
            items: range.starts.enumerated().map { SignInSummaryItem($1, steps[$0] ?? SignInStep()) },
            answers: reply.hasAnswers ? AnswerTimesView(reply.answers) : nil)
    }
}

extension SignInSummaryItem {
    init(_ at: Timestamp, _ step: SignInStep) {
        self.init(
            at: at, approved: Int(step.approved), denied: Int(step.denied), expired: Int(step.expired),
            canceled: Int(step.canceled), pending: Int(step.pending), unreached: Int(step.unreached),
            unreachedCanceled: Int(step.unreachedCanceled),
            answers: step.hasAnswers ? AnswerTimesView(step.answers) : nil)
    }
}

extension AnswerTimesView {
    init(_ times: Wire.AnswerTimes) {
        self.init(
            count: Int(times.count), medianMilliseconds: Int(times.medianMs), p90Milliseconds: Int(times.p90Ms),
            p99Milliseconds: Int(times.p99Ms))
    }
}

extension SignInLogEntry {
    /// Nil for words that this version does not know.
    init?(_ entry: SignInEntry) {
        guard let purpose = Purpose(rawValue: entry.purpose), let status = ChallengeStatus(rawValue: entry.status)
        else { return nil }
        let settledAt = Timestamp(sent: entry.settledAtMs)
        self.init(
            id: entry.id, at: Timestamp(milliseconds: entry.atMs), username: entry.username,
            userId: entry.personID.nonEmpty,
            factor: entry.factor.nonEmpty, purpose: purpose, application: entry.application.nonEmpty, status: status,
            reason: entry.reason.nonEmpty, method: SignInMethod(rawValue: entry.method),
            deviceId: entry.deviceID.nonEmpty,
            deviceName: entry.deviceName.nonEmpty, ipAddress: entry.ipAddress.nonEmpty,
            userAgent: entry.userAgent.nonEmpty,
            settledAt: settledAt,
            latencyMilliseconds: settledAt.map { Int($0.milliseconds - entry.atMs) },
            clientId: entry.clientID.nonEmpty, requestId: entry.requestID.nonEmpty, decoy: entry.decoy,
            silenced: entry.silenced)
    }
}
