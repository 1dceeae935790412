import Authenticator
import DeviceAPI
import Domain
import Foundation
import GatewayService
import NotifierService
import PolicyService
import RegistrationService
import Secrets
import ServiceKit
import ServiceLifecycle
import Storage
import StorageSQLite
import SwiftProtobuf
import TestSupport
import Testing
import VerifierService
import Wire

@testable import ChallengeService
@testable import Messaging

/// All six services in this process, wired as their main files wire them.
final class FlowStack: Sendable {
    let clock = HandClock.nearRealTime()
    let folder: TemporaryFolder
    let web = FlowTransport()
    /// The policy, the settings and the name of every tenant, as each service has them now.
    let mirrors: [TenantMirror]
    let challenges: [ChallengeService]
    let gateway: GatewayService
    let instances: [ServiceName: Int]
    private let mirrored = ChangeSignal()
    private let seats: [ServiceName: Seat]
    private let buses: [ServiceName: [MessageBus]]
    private let background: [any Service]
    private let closers: [@Sendable () async -> Void]

    /// Runs the services while `body` does.
    static func run(
        instances: [ServiceName: Int] = [:], _ body: @escaping @Sendable (FlowStack) async throws -> Void
    ) async throws {
        let stack = try FlowStack(instances: instances)
        let result = await withTaskGroup(of: Void.self) { group in
            for bus in stack.buses.values.joined() { group.addTask { await stack.recorded { try await bus.run() } } }
            for service in stack.background {
                group.addTask { await stack.recorded { try await service.run() } }
            }
            let result: Result<Void, any Error>
            do {
                try await stack.waitUntilReady()
                result = .success(try await body(stack))
            } catch {
                result = .failure(error)
            }
            await stack.web.shutdown()
            group.cancelAll()
            return result
        }
        for close in stack.closers { await close() }
        try result.get()
    }

    private init(instances: [ServiceName: Int]) throws {
        self.instances = instances
        let folder = try TemporaryFolder()
        self.folder = folder
        var seats: [ServiceName: Seat] = [:]
        for service in ServiceName.allCases { seats[service] = Seat(service: service, folder: folder, clock: clock) }
        let assembly = try Assembly(seats, instances: instances)
        self.seats = seats
        mirrors = assembly.mirrors
        challenges = assembly.challenges
        gateway = assembly.gateway
        background = assembly.background
        closers = assembly.closers
        var buses: [ServiceName: [MessageBus]] = [:]
        for (service, seat) in seats {
            buses[service] = try seat.buses(assembly.routes[service], instances)
        }
        self.buses = buses
        for mirror in mirrors { mirror.onChange { [mirrored] _ in mirrored.advance() } }
    }

    private func recorded(_ body: () async throws -> Void) async {
        do { try await body() } catch is CancellationError {} catch { Issue.record(error) }
    }

    private func waitUntilReady() async throws {
        for (service, seat) in seats {
            for callee in seat.callees {
                let wanted = instances[callee, default: 1]
                for await ready in bus(service).instances(of: callee) where ready.count >= wanted { break }
            }
        }
        for mirror in mirrors { try await mirror.waitUntilReady() }
        let port = try #require(await gateway.boundPort())
        web.connect(to: port)
    }

    // MARK: time

    /// Moves the server's clock, and lets challenge do what is due then, as its own timer would.
    func advance(_ duration: Duration) async {
        clock.advance(duration)
        for challenge in challenges {
            await challenge.meetDeadlines()
            await challenge.tellDueUses()
        }
    }

    // MARK: the bus

    /// The bus of one instance of a service, for asking as that service does.
    func bus(_ service: ServiceName, _ index: Int = 0) -> MessageBus {
        guard let bus = buses[service]?[index] else {
            preconditionFailure("\(service.rawValue) has no instance \(index)")
        }
        return bus
    }

    /// How many requests each instance of a service has answered.
    func answered(_ service: ServiceName) -> [Int] { seats[service]?.answered.counts ?? [] }

    /// Returns once each instance of a service has been asked so many times.
    func untilAsked(_ service: ServiceName, _ counts: [Int]) async { await seats[service]?.answered.reach(counts) }

    /// Ends one instance of a service as a killed process ends: no farewell, nothing waited for.
    func kill(_ service: ServiceName, _ index: Int) async { await bus(service, index).crash() }

    /// One more process of a service that only asks, while `body` runs.
    func withFurtherCaller<Result: Sendable>(
        _ service: ServiceName, _ body: @Sendable (MessageBus) async throws -> Result
    ) async throws -> Result {
        guard let seat = seats[service] else { preconditionFailure("there is no \(service.rawValue)") }
        let bus = try seat.further(instances)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await bus.run() }
            defer { group.cancelAll() }
            return try await body(bus)
        }
    }

    func context(_ timeout: Duration = .seconds(30)) -> CallContext {
        let id = Domain.RequestID.make(at: clock.now)
        return CallContext(requestID: id, originID: id, deadline: .now + timeout)
    }

    // MARK: tenants

    /// Returns when every service has a view of the tenant that satisfies `condition`.
    func waitUntilMirrored(_ tenant: TenantID, _ condition: (TenantView) -> Bool = { _ in true }) async {
        while true {
            let seen = mirrored.count
            if mirrors.allSatisfy({ (try? $0.tenant(tenant)).map(condition) ?? false }) { return }
            await mirrored.wait(past: seen)
        }
    }

    /// Returns when every service has all that policy has committed about the tenant.
    func waitUntilCurrent(_ tenant: TenantID) async throws {
        let latest = try await bus(.gateway).call(WatchPolicy.with { $0.waitMs = 0 }, context())
        let revision = try #require(latest.changed.first { $0.tenant == tenant.rawValue }).revision
        await waitUntilMirrored(tenant) { $0.revision >= revision }
    }

    var operatorToken: String {
        get throws {
            try String(contentsOfFile: folder.file("operator.token"), encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }
}
