import Telemetry

/// Rate, errors and duration of requests by route and status class: labels from closed sets only.
struct GatewayMetrics: Sendable {
    private let requests: Counter
    private let durations: Histogram

    init(_ registry: MetricsRegistry) {
        requests = registry.counter(
            "countersign_http_requests_total", help: "Requests answered.", labels: ["method", "route", "status"])
        durations = registry.histogram(
            "countersign_http_request_seconds", help: "Time to the answer; of a stream, to its start.",
            labels: ["route"],
            buckets: Histogram.latencyBuckets)
    }

    /// A method that is not known to HTTP must not become a label.
    func answered(_ method: String, _ route: String, _ status: Int, _ duration: Duration) {
        let known = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"].contains(method) ? method : "other"
        requests.increment(known, route, "\(status / 100)xx")
        durations.observe(duration, route)
    }
}
