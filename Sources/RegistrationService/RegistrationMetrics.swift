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

    init(_ registry: MetricsRegistry) {
        calls = registry.counter(
            "countersign_registration_calls_total", help: "Calls to challenge that follow from a change, by outcome.",
            labels: ["outcome"])
        credentials = registry.counter(
            "countersign_registration_credentials_total",
            help: "Passwords and passes that were checked, by kind and result.",
            labels: ["kind", "result"])
    }

    func called(_ outcome: CallOutcome) { calls.increment(by: 1, outcome.rawValue) }

    func checked(_ credential: Credential, correct: Bool) {
        credentials.increment(by: 1, credential.rawValue, correct ? "right" : "wrong")
    }
}
