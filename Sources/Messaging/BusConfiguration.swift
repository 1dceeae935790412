package import Wire

/// All that a process must be told to take part in the bus.
package struct BusConfiguration: Sendable {
    package var service: ServiceName
    /// Random at process start: a restarted process is another instance.
    package var instance: InstanceID
    /// Where this process answers; empty for one that only asks.
    package var bind: [Endpoint]
    /// Where each service that this process asks may be found. Several end points, or a name with several addresses, are several
    /// instances; names are resolved again every few seconds.
    package var callees: [ServiceName: [Endpoint]]
    package var security: BusSecurity
    package var limits: BusLimits

    package init(
        service: ServiceName, instance: InstanceID = .random(), bind: [Endpoint] = [],
        callees: [ServiceName: [Endpoint]] = [:],
        security: BusSecurity, limits: BusLimits = BusLimits()
    ) {
        self.service = service
        self.instance = instance
        self.bind = bind
        self.callees = callees
        self.security = security
        self.limits = limits
    }

    /// Refuses what cannot be secure: without CURVE only ipc may be used.
    func validate() throws(BusError) {
        guard case .folderPermissions = security else { return }
        for endpoint in bind + callees.values.joined() where !endpoint.isIPC {
            throw .configuration("\(endpoint) needs CURVE keys; only ipc may go without")
        }
    }
}

/// How peers know each other.
package enum BusSecurity: Sendable {
    /// CURVE on every connection: encrypted, and both sides proved by key.
    case curve(CurveKeys)
    /// ipc sockets in a folder that only this user may open (mode 0700); a peer is who its HELLO says.
    case folderPermissions
}

extension InstanceID {
    /// A fresh id for a process that starts; never 0, which means "none" on the wire.
    package static func random() -> InstanceID { InstanceID(rawValue: UInt64.random(in: 1...UInt64.max)) }
}

/// Why a bus cannot start.
package enum BusError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked for cannot be; the sentence says what.
    case configuration(String)
    /// A socket could not be bound, with the system's reason.
    case bind(Endpoint, reason: String)
    /// Key files that are missing, readable by others or malformed.
    case keys(String)
    /// The bus has been drained or stopped.
    case stopped

    package var description: String {
        switch self {
        case .configuration(let sentence), .keys(let sentence): sentence
        case .bind(let endpoint, let reason): "cannot listen on \(endpoint): \(reason)"
        case .stopped: "the bus has stopped"
        }
    }
}
