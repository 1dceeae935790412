import Domain
import Storage
import Telemetry

/// What only this service counts; requests and their durations are counted around the routes.
struct RegistrationMetrics: Sendable {
    enum CallOutcome: String {
        case delivered, postponed, refused
    }

    enum Credential: String {
        case password, pass
    }

    private let calls: Counter
    private let credentials: Counter
    private let callsWaiting: Gauge
    private let callsAge: Gauge

    init(_ registry: MetricsRegistry) {
        calls = registry.counter(
            "countersign_registration_calls_total", help: "Calls to challenge that follow from a change, by outcome.",
            labels: ["outcome"])
        credentials = registry.counter(
            "countersign_registration_credentials_total",
            help: "Passwords and passes that were checked, by kind and result.",
            labels: ["kind", "result"])
        callsWaiting = registry.gauge(
            "countersign_registration_calls_waiting", help: "Calls in the store that challenge has not taken yet.")
        callsAge = registry.gauge(
            "countersign_registration_calls_oldest_age_seconds", help: "Age of the oldest call that waits.")
    }

    func called(_ outcome: CallOutcome) { calls.increment(by: 1, outcome.rawValue) }

    func backlog(_ backlog: Backlog, at time: Timestamp) {
        callsWaiting.set(backlog.count)
        callsAge.set(backlog.oldest.map { max(time - $0, .zero).inSeconds } ?? 0)
    }

    func checked(_ credential: Credential, correct: Bool) {
        credentials.increment(by: 1, credential.rawValue, correct ? "right" : "wrong")
    }
}
