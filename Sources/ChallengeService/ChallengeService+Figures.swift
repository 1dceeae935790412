import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension ChallengeService {
    /// Lines of the log that one summary counts: some tenths of a second, on a snapshot that keeps no writer waiting.
    static let summaryLinesMax = 200_000

    func summarizeSignIns(_ request: SummarizeSignIns, _ context: HandlerContext) async throws -> SummarizeSignInsReply
    {
        let tenant = try tenants.tenant(TenantID(request.tenant)).id
        guard
            let range = SignInRange(
                from: Timestamp(milliseconds: request.fromMs), to: Timestamp(milliseconds: request.toMs),
                stepSeconds: Int(request.stepSeconds))
        else { throw ServiceError(.invalidValue, "from, to and step make no range") }
        let groups = try await store.read {
            try $0.signInGroups(tenant: tenant, in: range, linesMax: Self.summaryLinesMax)
        }
        var summary = SignInSummary()
        for group in groups {
            summary.add(
                group.count, at: group.step, status: group.status, isDecoy: group.isDecoy,
                answerTenths: group.answerTenths)
        }
        let isComplete = groups.reduce(0) { $0 + $1.count } < Self.summaryLinesMax
        return SummarizeSignInsReply.with {
            $0.steps = summary.steps.sorted { $0.key < $1.key }.map { SignInStep($0.key, $0.value) }
            if let answers = Wire.AnswerTimes(summary.answers) { $0.answers = answers }
            $0.complete = isComplete
            // The newest lines are the ones that are counted.
            $0.countedFromMs =
                isComplete ? request.fromMs : groups.map(\.earliest.milliseconds).min() ?? request.fromMs
        }
    }
}

extension SignInStep {
    init(_ index: Int, _ step: SignInSummary.Step) {
        self = .with {
            $0.index = UInt32(clamping: index)
            $0.approved = UInt32(clamping: step.approved)
            $0.denied = UInt32(clamping: step.denied)
            $0.expired = UInt32(clamping: step.expired)
            $0.canceled = UInt32(clamping: step.canceled)
            $0.pending = UInt32(clamping: step.pending)
            $0.unreached = UInt32(clamping: step.unreached)
            $0.unreachedCanceled = UInt32(clamping: step.unreachedCanceled)
            if let answers = Wire.AnswerTimes(step.answers) { $0.answers = answers }
        }
    }
}

extension Wire.AnswerTimes {
    /// Nil when nobody answered.
    init?(_ times: Domain.AnswerTimes) {
        guard let median = times.milliseconds(atMostFor: 50), let p90 = times.milliseconds(atMostFor: 90),
            let p99 = times.milliseconds(atMostFor: 99)
        else { return nil }
        self = .with {
            $0.count = UInt32(clamping: times.count)
            $0.medianMs = UInt32(clamping: median)
            $0.p90Ms = UInt32(clamping: p90)
            $0.p99Ms = UInt32(clamping: p99)
        }
    }
}
