/// How often a person's phones may ring for nothing: after too many requests that were refused or not answered they stay silent
/// for a while (requests still exist and are listed), which takes the force out of a flood of prompts.
///
/// A clock that was ahead and is set back leaves times in the future behind: one that is further away than it can be when it is written
/// counts as past.
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

    package func isSilent(at time: Timestamp) -> Bool {
        Self.lasts(until: silentUntil, at: time, longest: Self.longestSilence)
    }

    package func isRiskRaised(at time: Timestamp) -> Bool {
        Self.lasts(until: riskRaisedUntil, at: time, longest: Self.raisedRisk)
    }

    /// The longest that a tenant may choose.
    private static let longestSilence = Duration.seconds(60 * TenantSettings.range(of: \.silenceMinutes).upperBound)

    private static func lasts(until end: Timestamp?, at time: Timestamp, longest: Duration) -> Bool {
        end.map { time < $0 && $0 - time <= longest + ClockSkew.tolerated } ?? false
    }

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
            silence(for: rules.silence, at: time)
            riskRaisedUntil = time + Self.raisedRisk
        }
    }

    private mutating func miss(at time: Timestamp, rules: Rules) {
        misses = (misses + [time]).sorted().filter { time - $0 < rules.window && $0 - time < rules.window }
        guard misses.count >= rules.missesMax else { return }
        // Counted out: the next silence needs as many misses again.
        misses = []
        silence(for: rules.silence, at: time)
    }

    /// A silence is only ever lengthened.
    private mutating func silence(for length: Duration, at time: Timestamp) {
        let end = time + length
        silentUntil = isSilent(at: time) ? max(silentUntil ?? end, end) : end
    }
}
