import Messaging
import Telemetry
import Wire

/// What the bus counts.
struct BusMetrics: Sendable {
    private let connections: Counter
    private let callers: Counter
    private let calls: Counter
    private let refused: Counter
    private let joined: Counter
    private let faults: Counter
    private let figures: BusGauges
    private let names: [UInt16: String]

    init(_ registry: MetricsRegistry, of service: ServiceName) {
        connections = registry.counter(
            "countersign_bus_callee_changes_total", help: "Instances of other services that became ready or were lost.",
            labels: ["service", "change"])
        callers = registry.counter(
            "countersign_bus_connections_total",
            help: "Connections that came in: accepted, and those of them that proved their key, trusted.",
            labels: ["stage"])
        calls = registry.counter(
            "countersign_bus_calls_total",
            help: "Calls to other services that were sent again, or that failed, by code.",
            labels: ["service", "method", "outcome"])
        refused = registry.counter(
            "countersign_bus_refused_total", help: "Requests that this process refused unexecuted, by reason.",
            labels: ["method", "reason"])
        joined = registry.counter(
            "countersign_bus_joined_total", help: "Repeated requests that waited for the execution that ran.",
            labels: ["method"])
        faults = registry.counter(
            "countersign_bus_faults_total", help: "What came over the bus and was dropped.", labels: ["kind"])
        figures = BusGauges(registry)
        // What must never happen is 0 from the start, so that an alert sees the first time.
        for kind in Fault.allCases { faults.increment(by: 0, kind.rawValue) }
        for method in Method.all where method.service == service {
            refused.increment(by: 0, method.name, "\(NackReason.denied)")
        }
        names = Dictionary(uniqueKeysWithValues: Method.all.map { ($0.id, $0.name) })
    }

    private enum Fault: String, CaseIterable {
        case refusedConnection = "refused_connection"
        case exchangedKey = "exchanged_key"
        case malformedFrame = "malformed_frame"
        case droppedReply = "dropped_reply"
    }

    private func count(_ fault: Fault) { faults.increment(fault.rawValue) }

    func record(_ event: BusEvent) {
        switch event {
        case .calleeReady(let service, _): connections.increment(service.rawValue, "ready")
        case .calleeLost(let service, _): connections.increment(service.rawValue, "lost")
        case .retried(let service, let method): calls.increment(service.rawValue, name(method), "retried")
        case .failed(let service, let method, let code): calls.increment(service.rawValue, name(method), code.name)
        case .refusedRequest(let method, let reason): refused.increment(name(method), "\(reason)")
        case .joinedRequest(let method): joined.increment(name(method))
        case .acceptedConnection: callers.increment("accepted")
        case .trustedConnection: callers.increment("trusted")
        case .refusedConnection: count(.refusedConnection)
        case .exchangedKey: count(.exchangedKey)
        case .malformedFrame: count(.malformedFrame)
        case .droppedReply: count(.droppedReply)
        case .figures(let now): figures.set(now)
        }
    }

    /// A peer chooses the number, so that an unknown one must not make a label.
    private func name(_ method: UInt16) -> String { names[method] ?? "unknown" }
}
