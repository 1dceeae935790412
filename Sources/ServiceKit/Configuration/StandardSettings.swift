package import Messaging
package import Wire

/// The keys that every process has.
package struct StandardSettings: Sendable {
    /// Where a process listens when nobody says otherwise: the bus at this port and up, the operations ten above, in this order.
    private static let firstPort = 7_410
    private static let order: [ServiceName] = [
        .policy, .registration, .challenge, .verifier, .notifier, .gateway, .federation,
    ]

    package let service: ServiceName
    package let bind: Setting<[Endpoint]>?
    package let callees: [ServiceName: Setting<[Endpoint]>]
    package let busKeys: Setting<String>
    package let busTrust: Setting<String>
    package let operationsAddress: Setting<SocketAddressText>
    package let logLevel: Setting<String>
    package let traces: TraceSettings
    /// Nil for a process that keeps nothing.
    package let store: StoreSettings?
    package let sealingKeyFile: Setting<String>?

    /// The gateway only asks and keeps nothing; all others also answer and keep.
    package init(_ service: ServiceName) {
        self.service = service
        let name = service.rawValue
        let isEdge = service == .gateway
        bind =
            isEdge
            ? nil
            : Self.endpoints(
                "bus.bind", default: [Self.endpoint(of: service)], help: "Where this process answers other services.")
        callees = Dictionary(
            uniqueKeysWithValues: Self.order.filter { $0 != service && $0 != .gateway && $0 != .federation }.map {
                callee in
                let help =
                    "Where \(callee.rawValue) answers; several end points, or a name with several addresses, are several instances."
                return (
                    callee,
                    Self.endpoints("bus.\(callee.rawValue).endpoints", default: [Self.endpoint(of: callee)], help: help)
                )
            })
        busKeys = .path(
            "bus.keys", default: "var/keys",
            help: "Folder of the CURVE keys: this process's own and the public ones of others.")
        busTrust = .text(
            "bus.trust", default: "", accepts: "a path, or empty for the folder of bus.keys",
            help: "Folder of everybody's public keys, where each process has only its own secret one.")
        operationsAddress = .address(
            "operations.address", default: "127.0.0.1:\(Self.port(of: service) + 10)",
            help:
                "Where /healthz, /readyz and /metrics answer. It is not protected: keep it on loopback or a private network."
        )
        logLevel = .choice(
            "log.level", default: "info", of: ["trace", "debug", "info", "notice", "warning", "error", "critical"],
            help: "The least that is logged; debug adds what processes ask each other all the time.")
        traces = TraceSettings(isEdge: isEdge)
        store = isEdge ? nil : StoreSettings(service)
        sealingKeyFile =
            isEdge
            ? nil
            : .path(
                "secrets.keyFile", default: "var/keys/\(name).sealing.key",
                help:
                    "The keys that seal secrets in the database, made at the first start. Keep a copy elsewhere: without it they are lost."
            )
    }

    /// In the order in which they are printed.
    var keys: [SettingKey] {
        let ordered = Self.order.compactMap { callees[$0]?.key }
        let bus = [bind?.key].compactMap(\.self) + [busKeys.key, busTrust.key] + ordered
        return bus + [operationsAddress.key, logLevel.key] + traces.keys + (store?.keys ?? [])
            + [sealingKeyFile?.key].compactMap(\.self)
    }

    private static func port(of service: ServiceName) -> Int {
        firstPort + (order.firstIndex(of: service) ?? order.count)
    }

    private static func endpoint(of service: ServiceName) -> String { "tcp://127.0.0.1:\(port(of: service))" }

    private static func endpoints(_ name: String, default fallback: [String], help: String) -> Setting<[Endpoint]> {
        .list(name, default: fallback, accepts: "tcp://host:port with a port below 32768, or ipc://path", help: help) {
            text in
            try? Endpoint(text)
        }
    }
}
