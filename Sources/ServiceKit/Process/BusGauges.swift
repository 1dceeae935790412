import Messaging
import Telemetry
import Wire

/// What is under way on the bus, as of the last second.
struct BusGauges: Sendable {
    private let ready: Gauge
    private let queued: Gauge
    private let outstanding: Gauge
    private let credit: Gauge
    private let running: Gauge
    private let parked: Gauge
    private let callers: Gauge
    private let outbound: Gauge

    init(_ registry: MetricsRegistry) {
        ready = registry.gauge(
            "countersign_bus_callees_ready", help: "Instances of another service that take work.", labels: ["service"])
        queued = registry.gauge(
            "countersign_bus_calls_queued", help: "Calls in line for an instance with credit.", labels: ["service"])
        outstanding = registry.gauge(
            "countersign_bus_calls_outstanding", help: "Calls sent and not answered, parked ones included.",
            labels: ["service"])
        credit = registry.gauge(
            "countersign_bus_credit_calls", help: "Calls that may be sent at once, over all instances.",
            labels: ["service"])
        running = registry.gauge("countersign_bus_requests_running", help: "Ordinary requests of others that run.")
        parked = registry.gauge(
            "countersign_bus_requests_parked", help: "Requests of others that wait for something to happen.")
        callers = registry.gauge("countersign_bus_callers", help: "Connections of other processes to this one.")
        outbound = registry.gauge(
            "countersign_bus_outbound_bytes", help: "Bytes of frames that found no room in their sockets.")
    }

    func set(_ figures: BusFigures) {
        for (service, calls) in figures.calls {
            ready.set(calls.ready, service.rawValue)
            queued.set(calls.queued, service.rawValue)
            outstanding.set(calls.outstanding, service.rawValue)
            credit.set(Double(calls.credit), service.rawValue)
        }
        running.set(figures.running)
        parked.set(figures.parked)
        callers.set(figures.callers)
        outbound.set(figures.outboundBytes)
    }
}
