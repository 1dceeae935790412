import Domain
import Logging
import Messaging
import Secrets
import Synchronization
import Telemetry
import TestSupport
import Wire

@testable import ServiceKit

/// What one service is made with, as its process would give it, and its place on the bus.
struct Seat: Sendable {
    let service: ServiceName
    let folder: TemporaryFolder
    let clock: HandClock
    let caller = DeferredCaller()
    let metrics = MetricsRegistry()
    let sealer = Sealer.ephemeral()
    let answered = InstanceTally()
    let logger = Logger(label: "flow", factory: { _ in SwiftLogNoOpLogHandler() })

    var now: @Sendable () -> Timestamp { { [clock] in clock.now } }
    var callees: [ServiceName] { service.callees }
    var storePath: String { folder.file("\(service.rawValue).db") }

    func mirror() -> TenantMirror { TenantMirror(caller: caller, logger: logger, now: now) }

    /// The buses of this service, one an instance. What the service itself asks goes through the first.
    func buses(_ routes: [Routes]?, _ instances: [ServiceName: Int]) throws -> [MessageBus] {
        let buses =
            try routes?.enumerated().map { index, table in
                try bus(counted(table, index), at: [endpoint(service, index)], instances)
            } ?? [bus(nil, at: [], instances)]
        caller.connect(to: buses[0])
        return buses
    }

    private func counted(_ routes: Routes, _ index: Int) -> Routes {
        routes.observed(metrics, logger).mapHandlers { [answered] _, handle in
            { body, context in
                answered.add(index)
                return try await handle(body, context)
            }
        }
    }

    /// Another caller of the same service, which answers nothing.
    func further(_ instances: [ServiceName: Int]) throws -> MessageBus { try bus(nil, at: [], instances) }

    private func bus(_ routes: Routes?, at bind: [Endpoint], _ instances: [ServiceName: Int]) throws -> MessageBus {
        var callees: [ServiceName: [Endpoint]] = [:]
        for callee in service.callees {
            callees[callee] = try (0..<instances[callee, default: 1]).map { try endpoint(callee, $0) }
        }
        return try MessageBus(
            BusConfiguration(
                service: service, bind: bind, callees: callees, security: .folderPermissions, limits: Self.limits),
            routes: routes, logger: logger)
    }

    private func endpoint(_ service: ServiceName, _ index: Int) throws -> Endpoint {
        try Endpoint("ipc://\(folder.file("\(service.rawValue)-\(index)"))")
    }

    private static let limits: BusLimits = {
        var limits = BusLimits()
        limits.backOff = .milliseconds(5) ... .milliseconds(100)
        limits.drainTimeout = .seconds(2)
        return limits
    }()
}

/// How often each instance of a service was asked.
final class InstanceTally: Sendable {
    private let state = Mutex<[Int: Int]>([:])
    private let changes = ChangeSignal()

    var counts: [Int] { state.withLock { counts in (0...(counts.keys.max() ?? 0)).map { counts[$0, default: 0] } } }

    func add(_ index: Int) {
        state.withLock { $0[index, default: 0] += 1 }
        changes.advance()
    }

    /// Returns once no count is below its goal.
    func reach(_ goals: [Int]) async {
        while true {
            let seen = changes.count
            if zip(counts, goals).allSatisfy({ $0 >= $1 }), counts.count >= goals.count { return }
            await changes.wait(past: seen)
        }
    }
}
