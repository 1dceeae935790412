import Telemetry

struct ChallengeMetrics: Sendable {
    let begun: Counter
    let settled: Counter
    let outbox: Counter

    init(_ registry: MetricsRegistry) {
        begun = registry.counter(
            "countersign_challenges_begun_total", help: "Challenges begun.", labels: ["purpose", "kind"])
        settled = registry.counter(
            "countersign_challenges_settled_total", help: "Challenges settled.", labels: ["status"])
        outbox = registry.counter(
            "countersign_challenge_outbox_total", help: "Attempts of the outbox.", labels: ["kind", "outcome"])
    }
}
