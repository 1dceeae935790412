import Domain
import ServiceKit
import Storage
import Telemetry

/// What the challenge service counts. Labels come from closed sets.
struct ChallengeMetrics: Sendable {
    /// Seconds that people take: from at once to the longest life of a request.
    private static let answerBuckets: [Double] = [1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600]

    let begun: Counter
    let outbox: Counter
    private let ended: Counter
    private let answers: Histogram
    private let outboxMessages: Gauge
    private let outboxAge: Gauge

    init(_ registry: MetricsRegistry, outcomes: KeyedSignals<ChallengeID>) {
        begun = registry.counter(
            "countersign_challenges_begun_total", help: "Challenges begun.", labels: ["purpose", "kind"])
        ended = registry.counter(
            "countersign_challenges_settled_total", help: "Challenges settled, by how; reason is why a person refused.",
            labels: ["purpose", "kind", "status", "reason", "method"])
        // 0 from the start, so that an alert sees the first one.
        for purpose in [Purpose.signIn, .secondFactor] {
            ended.increment(
                by: 0, purpose.rawValue, Self.kind(isDecoy: false), ChallengeStatus.denied.rawValue,
                DenialReason.reported.rawValue, "none")
        }
        answers = registry.histogram(
            "countersign_challenge_answer_duration_seconds",
            help: "Time from a challenge's begin to the approval or refusal of its person.", labels: ["purpose"],
            buckets: Self.answerBuckets)
        outbox = registry.counter(
            "countersign_challenge_outbox_total", help: "Attempts of the outbox.", labels: ["kind", "outcome"])
        outboxMessages = registry.gauge(
            "countersign_challenge_outbox_messages", help: "Messages in the store that nobody has taken yet.")
        outboxAge = registry.gauge(
            "countersign_challenge_outbox_oldest_age_seconds", help: "Age of the oldest message of the outbox.")
        registry.gauge("countersign_challenge_waits", help: "Calls parked for an outcome.") {
            Double(outcomes.watchers)
        }
    }

    static func kind(isDecoy: Bool) -> String { isDecoy ? "decoy" : "challenge" }

    func settled(_ end: ChallengeTransaction.Settled) {
        ended.increment(
            end.purpose.rawValue, Self.kind(isDecoy: end.isDecoy), end.status.rawValue, end.reason?.rawValue ?? "none",
            end.method?.rawValue ?? "none")
        guard end.status == .approved || end.status == .denied else { return }
        answers.observe(end.duration, end.purpose.rawValue)
    }

    func backlog(_ backlog: Backlog, at time: Timestamp) {
        outboxMessages.set(backlog.count)
        outboxAge.set(backlog.oldest.map { max(time - $0, .zero).inSeconds } ?? 0)
    }
}
