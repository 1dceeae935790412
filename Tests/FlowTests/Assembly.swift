import ChallengeService
import Domain
import GatewayService
import Messaging
import NotifierService
import PolicyService
import RegistrationService
import Secrets
import ServiceKit
import ServiceLifecycle
import Storage
import StorageSQLite
import TestSupport
import VerifierService
import Wire

/// The services, each made as its main file makes it, with a clock and costs for tests.
struct Assembly {
    /// One table for each instance of a service. Instances of one service share its store, and all but notifier's, which keeps in memory
    /// who listens, share the service too.
    private(set) var routes: [ServiceName: [Routes]] = [:]
    private let instances: [ServiceName: Int]
    private(set) var background: [any Service] = []
    private(set) var closers: [@Sendable () async -> Void] = []
    private(set) var mirrors: [TenantMirror] = []
    let challenge: ChallengeService
    let gateway: GatewayService

    init(_ seats: [ServiceName: Seat], instances: [ServiceName: Int]) throws {
        self.instances = instances
        func seat(_ service: ServiceName) -> Seat {
            guard let seat = seats[service] else { preconditionFailure("every service has a seat") }
            return seat
        }
        challenge = try Self.challenge(seat(.challenge), &mirrors, &closers)
        gateway = Self.gateway(seat(.gateway), &mirrors)
        try addPolicy(seat(.policy))
        try addRegistration(seat(.registration))
        try addVerifier(seat(.verifier))
        try addNotifier(seat(.notifier))
        answer(challenge.routes)
        background += [challenge, gateway] + mirrors
    }

    /// As many instances as are wanted answer by this table.
    private mutating func answer(_ table: Routes) {
        routes[table.service] = Array(repeating: table, count: instances[table.service, default: 1])
    }

    private static func challenge(
        _ seat: Seat, _ mirrors: inout [TenantMirror], _ closers: inout [@Sendable () async -> Void]
    ) throws -> ChallengeService {
        let store = try SQLiteStore<any ChallengeRecords>.challenge(path: seat.storePath)
        closers.append { await store.close() }
        mirrors.append(seat.mirror())
        var surroundings = ChallengeService.Surroundings(
            caller: seat.caller, tenants: mirrors[mirrors.count - 1], sealer: seat.sealer, metrics: seat.metrics,
            logger: seat.logger)
        surroundings.now = seat.now
        return ChallengeService(store: store, surroundings)
    }

    private static func gateway(_ seat: Seat, _ mirrors: inout [TenantMirror]) -> GatewayService {
        mirrors.append(seat.mirror())
        var configuration = GatewayConfiguration(port: 0, externalURL: FlowTransport.externalURL)
        configuration.callTimeout = .seconds(20)
        return GatewayService(
            configuration: configuration, caller: seat.caller, tenants: mirrors[mirrors.count - 1],
            metrics: seat.metrics, logger: seat.logger, now: seat.now)
    }

    private mutating func addPolicy(_ seat: Seat) throws {
        let store = try SQLiteStore<any PolicyRecords>.policy(path: seat.storePath)
        closers.append { await store.close() }
        let service = try PolicyService(
            PolicyService.Dependencies(
                store: store, caller: seat.caller, sealer: seat.sealer, metrics: seat.metrics, logger: seat.logger,
                now: seat.now),
            configuration: PolicyConfiguration(operatorTokenFile: seat.folder.file("operator.token")))
        answer(service.routes)
        background.append(service)
    }

    private mutating func addRegistration(_ seat: Seat) throws {
        let store = try SQLiteStore<any RegistrationRecords>.registration(path: seat.storePath)
        closers.append { await store.close() }
        mirrors.append(seat.mirror())
        let service = RegistrationService(
            RegistrationService.Dependencies(
                store: store, caller: seat.caller, tenants: mirrors[mirrors.count - 1], sealer: seat.sealer,
                hasher: PasswordHasher(cost: .forTests, concurrent: 2), metrics: seat.metrics, logger: seat.logger,
                now: seat.now))
        answer(service.routes)
        background.append(service)
    }

    private mutating func addVerifier(_ seat: Seat) throws {
        let store = try SQLiteStore<any VerifierRecords>.verifier(path: seat.storePath)
        closers.append { await store.close() }
        mirrors.append(seat.mirror())
        let service = VerifierService(
            VerifierService.Dependencies(
                store: store, caller: seat.caller, tenants: mirrors[mirrors.count - 1], sealer: seat.sealer,
                metrics: seat.metrics, logger: seat.logger, now: seat.now))
        answer(service.routes)
        background.append(service)
    }

    private mutating func addNotifier(_ seat: Seat) throws {
        let store = try SQLiteStore<any NotifierRecords>.notifier(path: seat.storePath)
        closers.append { await store.close() }
        mirrors.append(seat.mirror())
        let tenants = mirrors[mirrors.count - 1]
        let services = (0..<instances[.notifier, default: 1]).map { index in
            NotifierService(
                NotifierService.Dependencies(
                    store: store, tenants: tenants, sealer: seat.sealer, metrics: seat.metrics, logger: seat.logger,
                    now: seat.now),
                epoch: UInt64(index + 1))
        }
        routes[.notifier] = services.map(\.routes)
        background += services as [any Service]
    }
}
