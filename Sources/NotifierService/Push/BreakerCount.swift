import Domain
import Telemetry

/// How many circuit breakers of each transport are open: one an account, and one a push service of Web Push.
struct BreakerCount: Sendable {
    private let gauge: Gauge?

    /// Counts for nobody.
    init() { gauge = nil }

    init(_ registry: MetricsRegistry) {
        let gauge = registry.gauge(
            "countersign_push_breakers_open", help: "Push providers that failed lately and are left alone.",
            labels: ["transport"])
        // There from the start: an alarm on a series that is not there never rings.
        for transport in PushTransport.allCases where transport != .none { gauge.add(0, transport.rawValue) }
        self.gauge = gauge
    }

    func change(_ transport: PushTransport, by amount: Int) { gauge?.add(amount, transport.rawValue) }
}
