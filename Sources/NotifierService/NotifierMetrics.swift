import Storage
import Telemetry

/// What the notifier counts. Labels come from closed sets.
struct NotifierMetrics: Sendable {
    let listeners: Gauge
    let devices: Gauge
    let events: Counter
    let outcomes: Counter
    let durations: Histogram
    let owed: Gauge

    init(_ registry: MetricsRegistry) {
        listeners = registry.gauge("countersign_live_listeners", help: "Gateways that listen for events.")
        devices = registry.gauge("countersign_live_devices", help: "Devices whose event stream a gateway holds.")
        events = registry.counter(
            "countersign_live_events_total", help: "Events told, a device each.", labels: ["event"])
        outcomes = registry.counter(
            "countersign_push_attempts_total", help: "Attempts to reach a phone through a provider.",
            labels: ["transport", "outcome", "purpose"])
        durations = registry.histogram(
            "countersign_push_attempt_duration_seconds",
            help: "Time from an attempt to reach a phone to the provider's answer, or to giving up.",
            labels: ["transport"])
        owed = registry.gauge("countersign_push_owed", help: "Phones that are to be rung, when they were counted last.")
    }
}

/// What an attempt to reach a phone is for.
enum PushPurpose: String, Sendable {
    /// To ring it for a request.
    case ring
    /// To tell it that a request has ended.
    case withdraw
    /// An administrator looks whether it can be reached.
    case check

    init(_ stage: WakeUpStage) {
        self = stage == .withdraw ? .withdraw : .ring
    }
}
