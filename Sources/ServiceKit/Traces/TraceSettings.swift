import Domain
import Foundation
import Telemetry
import Wire

/// The keys that say whether, how many and where spans are sent.
package struct TraceSettings: Sendable {
    private let endpoint: Setting<String>
    private let queueMax: Setting<Int>
    private let interval: Setting<Duration>
    private let timeout: Setting<Duration>
    /// Nil behind the edge, where what the edge decided is followed.
    private let ratio: Setting<Double>?
    private let trustCallers: Setting<Bool>?

    init(isEdge: Bool) {
        endpoint = .text(
            "telemetry.traces.endpoint", default: "", accepts: "an http or https URL, or empty",
            isAccepted: { $0.isEmpty || Self.isURL($0) },
            help:
                "Where spans are posted as OTLP JSON, as in http://127.0.0.1:4318/v1/traces; empty: nothing is traced."
        )
        queueMax = .number(
            "telemetry.traces.queueMax", default: 4_096, in: 1...1_000_000,
            help: "Spans that wait for the collector; what finds no room is dropped and counted.")
        interval = .duration(
            "telemetry.traces.interval", default: .seconds(2), in: .milliseconds(100)...Duration.seconds(60),
            help: "How long an ended span waits for others before they are sent.")
        timeout = .duration(
            "telemetry.traces.timeout", default: .seconds(5), in: .milliseconds(100)...Duration.seconds(60),
            help: "How long the collector may take for one message.")
        guard isEdge else {
            (ratio, trustCallers) = (nil, nil)
            return
        }
        ratio = .ratio(
            "telemetry.traces.ratio", default: 0.05,
            help: "The part of the requests that is traced, through every process that they touch.")
        trustCallers = .flag(
            "telemetry.traces.trustCallers", default: false,
            help:
                "Whether a caller's traceparent decides if its request is traced, in place of the ratio: only where no stranger can call."
        )
    }

    /// In the order in which they are printed.
    var keys: [SettingKey] {
        [endpoint.key, ratio?.key, trustCallers?.key, queueMax.key, interval.key, timeout.key].compactMap(\.self)
    }

    /// Nil when nothing is traced.
    func configuration(_ settings: Settings) -> TraceConfiguration? {
        guard !settings[endpoint].isEmpty else { return nil }
        return TraceConfiguration(
            endpoint: settings[endpoint], queueMax: settings[queueMax], interval: settings[interval],
            timeout: settings[timeout],
            sampling: SpanTracer.Sampling(
                ratio: ratio.map { settings[$0] } ?? 0, followsParent: trustCallers.map { settings[$0] } ?? true))
    }

    private static func isURL(_ text: String) -> Bool {
        guard let url = URL(string: text), let host = url.host(), let scheme = url.scheme else { return false }
        // A password would be printed with the configuration.
        return ["http", "https"].contains(scheme) && !host.isEmpty && url.user() == nil
    }
}

struct TraceConfiguration: Sendable {
    let endpoint: String
    let queueMax: Int
    let interval: Duration
    let timeout: Duration
    let sampling: SpanTracer.Sampling
}
