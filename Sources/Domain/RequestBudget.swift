/// How often a person's phones may ring for nothing: after too many requests that were refused or not answered they stay silent
/// for a while (requests still exist and are listed), which takes the force out of a flood of prompts.
package struct RequestBudget: Hashable, Sendable {
    package struct Rules: Hashable, Sendable {
        package let missesMax: Int
        package let window: Duration
        package let silence: Duration

        package init(missesMax: Int, window: Duration, silence: Duration) {
            self.missesMax = missesMax
            self.window = window
            self.silence = silence
        }

        package init(_ settings: TenantSettings) {
            self.init(
                missesMax: settings.requestBudget, window: .seconds(60 * settings.requestBudgetWindowMinutes),
                silence: .seconds(60 * settings.silenceMinutes))
        }
    }

    package enum Event: Hashable, Sendable {
        case approvedByPush
        /// Declined, wrong number, expired or canceled.
        case missed
        /// "This was not me."
        case reported
    }

    /// For how long a report makes numbers longer.
    package static let raisedRisk = Duration.seconds(24 * 3600)

    /// When requests were missed, oldest first; never more than the budget.
    package private(set) var misses: [Timestamp]
    package private(set) var silentUntil: Timestamp?
    package private(set) var riskRaisedUntil: Timestamp?

    package init(misses: [Timestamp] = [], silentUntil: Timestamp? = nil, riskRaisedUntil: Timestamp? = nil) {
        self.misses = misses
        self.silentUntil = silentUntil
        self.riskRaisedUntil = riskRaisedUntil
    }

    package func isSilent(at time: Timestamp) -> Bool { silentUntil.map { time < $0 } ?? false }
    package func isRiskRaised(at time: Timestamp) -> Bool { riskRaisedUntil.map { time < $0 } ?? false }

    /// Only an approval by push shows that the person and the phone are together again; a code does not.
    package mutating func record(_ event: Event, at time: Timestamp, rules: Rules) {
        switch event {
        case .approvedByPush:
            misses = []
            silentUntil = nil
        case .missed:
            miss(at: time, rules: rules)
        case .reported:
            miss(at: time, rules: rules)
            silence(until: time + rules.silence)
            riskRaisedUntil = max(riskRaisedUntil ?? time, time + Self.raisedRisk)
        }
    }

    private mutating func miss(at time: Timestamp, rules: Rules) {
        misses = (misses + [time]).sorted().filter { time - $0 < rules.window }
        guard misses.count >= rules.missesMax else { return }
        // Counted out: the next silence needs as many misses again.
        misses = []
        silence(until: time + rules.silence)
    }

    /// A silence is only ever lengthened.
    private mutating func silence(until end: Timestamp) { silentUntil = max(silentUntil ?? end, end) }
}
