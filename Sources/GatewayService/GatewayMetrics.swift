import Telemetry

/// Rate, errors and duration of requests by route and status class, and what is held open: labels from closed sets only.
struct GatewayMetrics: Sendable {
    private let requests: Counter
    private let durations: Histogram
    private let inFlight: Gauge

    init(_ registry: MetricsRegistry, _ edge: Edge) {
        requests = registry.counter(
            "countersign_http_requests_total", help: "Requests answered.", labels: ["method", "route", "status"])
        durations = registry.histogram(
            "countersign_http_request_duration_seconds",
            help: "Time to the answer, of a stream to its start; without requests that asked to wait.",
            labels: ["route"], buckets: Histogram.latencyBuckets)
        inFlight = registry.gauge("countersign_http_requests_in_flight", help: "Requests that are being answered.")
        let gauges: [(name: String, help: String, read: @Sendable () -> Int)] = [
            ("countersign_http_waits_open", "Requests that wait for something to happen.", { edge.parked.count }),
            ("countersign_http_waits_limit", "How many may wait.", { edge.configuration.parkedWaitsMax }),
            ("countersign_http_streams_open", "Event streams of phones.", { edge.streams.count }),
            ("countersign_http_streams_limit", "How many may be open.", { edge.configuration.eventStreamsMax }),
            ("countersign_http_live_devices", "Phones that listen here.", { edge.hub.streams.deviceCount }),
        ]
        for gauge in gauges { registry.gauge(gauge.name, help: gauge.help) { Double(gauge.read()) } }
    }

    func began() { inFlight.add(1) }

    /// A method that is not known to HTTP must not become a label. How long somebody wanted to wait says nothing about the service.
    func answered(_ method: String, _ route: String, _ status: Int, _ duration: Duration, hasWaited: Bool) {
        inFlight.add(-1)
        requests.increment(Self.known(method), route, "\(status / 100)xx")
        if !hasWaited { durations.observe(duration, route) }
    }

    static func known(_ method: String) -> String {
        ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"].contains(method) ? method : "other"
    }
}
