/// A stretch of the sign-in log, cut into steps of the same length.
package struct SignInRange: Hashable, Sendable {
    package static let stepsMax = 500
    package static let stepSeconds = 60...86_400

    /// Included; the first step begins here.
    package let from: Timestamp
    /// Not included.
    package let to: Timestamp
    package let stepSeconds: Int

    /// Nil for a step that is too short or too long, an empty range, and one of more than `stepsMax` steps.
    package init?(from: Timestamp, to: Timestamp, stepSeconds: Int) {
        guard Self.stepSeconds.contains(stepSeconds), from < to else { return nil }
        let (length, isTooLong) = to.milliseconds.subtractingReportingOverflow(from.milliseconds)
        guard !isTooLong, (length - 1) / (Int64(stepSeconds) * 1000) < Self.stepsMax else { return nil }
        self.from = from
        self.to = to
        self.stepSeconds = stepSeconds
    }

    /// Where each step begins; the last one may be cut short.
    package var starts: [Timestamp] {
        stride(from: from.milliseconds, to: to.milliseconds, by: stepSeconds * 1000).map { Timestamp(milliseconds: $0) }
    }
}

/// How long people took from the request to their answer, to a tenth of a second.
package struct AnswerTimes: Hashable, Sendable {
    package private(set) var count = 0
    private var countByTenths: [Int: Int] = [:]

    package init() {}

    package mutating func add(tenths: Int, count: Int) {
        countByTenths[tenths, default: 0] += count
        self.count += count
    }

    /// The time that this share of the answers took at most (nearest rank), in milliseconds; nil when there is no answer.
    package func milliseconds(atMostFor percent: Int) -> Int? {
        guard count > 0 else { return nil }
        let rank = max(1, (count * percent + 99) / 100)
        var seen = 0
        for (tenths, count) in countByTenths.sorted(by: { $0.key < $1.key }) {
            seen += count
            if seen >= rank { return tenths * 100 }
        }
        return nil
    }
}

/// How the requests of a range ended, step by step.
package struct SignInSummary: Hashable, Sendable {
    package struct Step: Hashable, Sendable {
        /// Redeemed or not.
        package var approved = 0
        package var denied = 0
        package var expired = 0
        package var canceled = 0
        package var pending = 0
        /// Decoys that nothing settled: they never reached a phone.
        package var unreached = 0
        /// Of those, the ones that were withdrawn.
        package var unreachedCanceled = 0
        package var answers = AnswerTimes()
        package init() {}
    }

    /// By their place in the range; those without a request are left out.
    package private(set) var steps: [Int: Step] = [:]
    package private(set) var answers = AnswerTimes()

    package init() {}

    /// `answerTenths`: from the request to the person's answer, in tenths of a second; nil where nobody answered.
    package mutating func add(
        _ count: Int, at step: Int, status: ChallengeStatus, isDecoy: Bool, answerTenths: Int?
    ) {
        let member: WritableKeyPath<Step, Int> =
            switch status {
            case .approved, .redeemed: \.approved
            case _ where isDecoy: \.unreached
            case .denied: \.denied
            case .expired: \.expired
            case .canceled: \.canceled
            case .pending: \.pending
            }
        steps[step, default: Step()][keyPath: member] += count
        if isDecoy, status == .canceled { steps[step, default: Step()].unreachedCanceled += count }
        guard let answerTenths else { return }
        steps[step, default: Step()].answers.add(tenths: answerTenths, count: count)
        answers.add(tenths: answerTenths, count: count)
    }
}
