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
    /// One table for each instance of a service: a service of its own, which shares the store with the others.
    private(set) var routes: [ServiceName: [Routes]] = [:]
    private let instances: [ServiceName: Int]
    private(set) var background: [any Service] = []
    private(set) var closers: [@Sendable () async -> Void] = []
    private(set) var mirrors: [TenantMirror] = []
    let challenges: [ChallengeService]
    let gateway: GatewayService

    init(_ seats: [ServiceName: Seat], instances: [ServiceName: Int]) throws {
        self.instances = instances
        func seat(_ service: ServiceName) -> Seat {
            guard let seat = seats[service] else { preconditionFailure("every service has a seat") }
            return seat
        }
        challenges = try Self.challenges(
            seat(.challenge), instances[.challenge, default: 1], &mirrors, &closers)
        gateway = Self.gateway(seat(.gateway), &mirrors)
        try addPolicy(seat(.policy))
        try addRegistration(seat(.registration))
        try addVerifier(seat(.verifier))
        try addNotifier(seat(.notifier))
        routes[.challenge] = challenges.map(\.routes)
        background += challenges as [any Service] + [gateway] + mirrors
    }

    /// The store as each of so many processes has it.
    private static func shared<Records>(_ store: any Store<Records>, _ count: Int) -> [any Store<Records>] {
        guard count > 1 else { return [store] }
        let peers = SharedStore<Records>.Peers()
        return (0..<count).map { _ in SharedStore(store, among: peers) }
    }

    private func shared<Records>(_ store: any Store<Records>, by service: ServiceName) -> [any Store<Records>] {
        Self.shared(store, instances[service, default: 1])
    }

    private static func challenges(
        _ seat: Seat, _ count: Int, _ mirrors: inout [TenantMirror], _ closers: inout [@Sendable () async -> Void]
    ) throws -> [ChallengeService] {
        let store = try SQLiteStore<any ChallengeRecords>.challenge(path: seat.storePath)
        closers.append { await store.close() }
        mirrors.append(seat.mirror())
        let tenants = mirrors[mirrors.count - 1]
        return shared(store, count).map { store in
            var given = ChallengeService.Dependencies(
                store: store, caller: seat.caller, tenants: tenants, sealer: seat.sealer, metrics: seat.metrics,
                logger: seat.logger)
            given.now = seat.now
            return ChallengeService(given)
        }
    }

    private static func gateway(_ seat: Seat, _ mirrors: inout [TenantMirror]) -> GatewayService {
        mirrors.append(seat.mirror())
        var configuration = GatewayConfiguration(port: 0, externalURL: FlowTransport.externalURL)
        configuration.callTimeout = .seconds(20)
        return GatewayService(
            configuration: configuration, caller: seat.caller, tenants: mirrors[mirrors.count - 1],
            readiness: Readiness(), metrics: seat.metrics, logger: seat.logger, now: seat.now)
    }

    private mutating func addPolicy(_ seat: Seat) throws {
        let store = try SQLiteStore<any PolicyRecords>.policy(path: seat.storePath)
        closers.append { await store.close() }
        let services = try shared(store, by: .policy).map { store in
            try PolicyService(
                PolicyService.Dependencies(
                    store: store, caller: seat.caller, sealer: seat.sealer, metrics: seat.metrics, logger: seat.logger,
                    now: seat.now),
                configuration: PolicyConfiguration(operatorTokenFile: seat.folder.file("operator.token")))
        }
        routes[.policy] = services.map(\.routes)
        background += services as [any Service]
    }

    private mutating func addRegistration(_ seat: Seat) throws {
        let store = try SQLiteStore<any RegistrationRecords>.registration(path: seat.storePath)
        closers.append { await store.close() }
        mirrors.append(seat.mirror())
        let tenants = mirrors[mirrors.count - 1]
        let services = shared(store, by: .registration).map { store in
            RegistrationService(
                RegistrationService.Dependencies(
                    store: store, caller: seat.caller, tenants: tenants, sealer: seat.sealer,
                    hasher: PasswordHasher(cost: .forTests, concurrent: 2), metrics: seat.metrics, logger: seat.logger,
                    now: seat.now))
        }
        routes[.registration] = services.map(\.routes)
        background += services as [any Service]
    }

    private mutating func addVerifier(_ seat: Seat) throws {
        let store = try SQLiteStore<any VerifierRecords>.verifier(path: seat.storePath)
        closers.append { await store.close() }
        mirrors.append(seat.mirror())
        let tenants = mirrors[mirrors.count - 1]
        let services = shared(store, by: .verifier).map { store in
            VerifierService(
                VerifierService.Dependencies(
                    store: store, caller: seat.caller, tenants: tenants, sealer: seat.sealer, metrics: seat.metrics,
                    logger: seat.logger, now: seat.now))
        }
        routes[.verifier] = services.map(\.routes)
        background += services as [any Service]
    }

    private mutating func addNotifier(_ seat: Seat) throws {
        let store = try SQLiteStore<any NotifierRecords>.notifier(path: seat.storePath)
        closers.append { await store.close() }
        mirrors.append(seat.mirror())
        let tenants = mirrors[mirrors.count - 1]
        let services = (0..<instances[.notifier, default: 1]).map { index in
            NotifierService(
                NotifierService.Dependencies(
                    store: store, tenants: tenants, caller: seat.caller, sealer: seat.sealer, metrics: seat.metrics,
                    logger: seat.logger, now: seat.now),
                epoch: UInt64(index + 1))
        }
        routes[.notifier] = services.map(\.routes)
        background += services as [any Service]
    }
}
