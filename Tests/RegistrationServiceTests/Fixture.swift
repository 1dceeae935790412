import Domain
import Foundation
import Logging
import Messaging
import Proofs
import RegistrationService
import Secrets
import ServiceKit
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import Telemetry
import TestSupport
import Testing
import Wire

/// challenge, as far as registration sees it: it gives numbers and remembers what it was told.
final class ChallengeDouble: Sendable {
    struct Heard: Sendable {
        var begun: [BeginDeviceChallenge] = []
        var canceled: [CancelForPerson] = []
    }
    private let heard = Mutex(Heard())
    var begun: [BeginDeviceChallenge] { heard.withLock(\.begun) }
    var canceled: [CancelForPerson] { heard.withLock(\.canceled) }

    var routes: Routes {
        var routes = Routes(service: .challenge)
        routes.on(BeginDeviceChallenge.self) { [self] request, _ in
            heard.withLock { if !$0.begun.contains(where: { $0.id == request.id }) { $0.begun.append(request) } }
            return BeginDeviceChallengeReply.with {
                $0.number = "57"
                $0.expiresAtMs = request.expiresAtMs
            }
        }
        routes.on(CancelForPerson.self) { [self] request, _ in
            heard.withLock { $0.canceled.append(request) }
            return Wire.Empty()
        }
        return routes
    }
}

/// A registration service over SQLite in a folder of its own, with everything around it in the test's hands.
final class Fixture: Sendable {
    static let demo = TenantID("demo")
    static let other = TenantID("other")
    static let audience = "https://id.example/demo"

    let folder: String
    let store: SQLiteStore<any RegistrationRecords>
    let service: RegistrationService
    let bus = DirectBus()
    let clock = HandClock()
    let challenge = ChallengeDouble()
    let tenants: FixedTenants
    let sealer: Sealer

    init() throws {
        folder = NSTemporaryDirectory() + "registration-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        sealer = Sealer.ephemeral()
        tenants = FixedTenants(TenantView(id: Self.demo, name: "Demo"), TenantView(id: Self.other, name: "Other"))
        store = try SQLiteStore<any RegistrationRecords>.registration(path: folder + "/registration.db")
        service = Self.service(store, bus, tenants, sealer, clock)
        bus.add(service.routes)
        bus.add(challenge.routes)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func service(
        _ store: any Store<any RegistrationRecords>, _ bus: DirectBus, _ tenants: FixedTenants, _ sealer: Sealer,
        _ clock: HandClock, _ hasher: PasswordHasher = PasswordHasher(cost: .forTests, concurrent: 2)
    ) -> RegistrationService {
        RegistrationService(
            RegistrationService.Dependencies(
                store: store, caller: bus.caller(.registration), tenants: tenants, sealer: sealer,
                hasher: hasher, metrics: MetricsRegistry(),
                logger: Logger(label: "test"),
                now: { clock.now }))
    }

    func call<Request: ServiceRequest>(
        _ request: Request, from caller: ServiceName = .gateway, id: RequestID? = nil
    ) async throws(ServiceError) -> Request.Reply {
        let id = id ?? RequestID.make(at: clock.now)
        return try await bus.caller(caller).call(
            request, CallContext(requestID: id, originID: id, deadline: .now + .seconds(30)))
    }

    /// What the call is refused with; nil when it is not.
    func refusal<Request: ServiceRequest>(
        _ request: Request, from caller: ServiceName = .gateway, id: RequestID? = nil
    ) async -> ErrorCode? {
        do {
            _ = try await call(request, from: caller, id: id)
            return nil
        } catch {
            return error.code
        }
    }

    @discardableResult
    func person(_ name: String, password: String = "correct horse", tenant: TenantID = demo) async throws
        -> PersonRecord
    {
        try await call(
            CreateUser.with {
                $0.tenant = tenant.rawValue
                $0.username = name
                $0.password = Data(password.utf8)
            }
        ).person
    }

    func login(_ name: String, _ password: String = "correct horse", tenant: TenantID = demo) -> StartSession {
        StartSession.with {
            $0.tenant = tenant.rawValue
            $0.username = name
            $0.password = Data(password.utf8)
        }
    }

    func passLogin(_ name: String, _ pass: String) -> StartSession {
        StartSession.with {
            $0.tenant = Self.demo.rawValue
            $0.username = name
            $0.temporaryAccessPass = Data(pass.utf8)
        }
    }

    func issue(_ person: PersonRecord, once: Bool? = nil) async throws -> IssuePassReply {
        try await call(
            IssuePass.with {
                $0.tenant = Self.demo.rawValue
                $0.personID = person.id
                if let once { $0.usableOnce = once }
            })
    }

    func activation(_ person: PersonRecord, session: ResolveSessionReply? = nil, tenant: TenantID = demo) async throws
        -> CreateActivationReply
    {
        try await call(
            CreateActivation.with {
                $0.tenant = tenant.rawValue
                $0.personID = person.id
                $0.sessionID = session?.sessionID ?? ""
                $0.sessionByPass = session?.byPass ?? false
            })
    }

    func registration(
        _ ticket: String, _ key: SoftwareDeviceSigner, tenant: TenantID = demo, issuedAt: Timestamp? = nil,
        osVersion: String = "17.2"
    ) async throws -> RegisterDevice {
        let audience = "https://id.example/\(tenant)"
        let proof = try await ActivationClaims(audience: audience, ticket: ticket, issuedAt: issuedAt ?? clock.now)
            .signed(by: key)
        return RegisterDevice.with {
            $0.tenant = tenant.rawValue
            $0.ticket = ticket
            $0.proof = proof
            $0.audience = audience
            $0.facts = DeviceFacts.with {
                $0.name = "Phone"
                $0.platform = "ios"
                $0.osVersion = osVersion
                $0.appVersion = "1.0.0"
            }
        }
    }

    func confirm(_ device: DeviceRecord, approved: Bool = true, tenant: TenantID = demo) async throws {
        _ = try await call(
            ConfirmDevice.with {
                $0.tenant = tenant.rawValue
                $0.challengeID = device.activationChallengeID
                $0.deviceID = device.id
                $0.purpose = "registration"
                $0.approved = approved
            }, from: .challenge)
    }

    /// An active device.
    func device(
        _ person: PersonRecord, key: SoftwareDeviceSigner = SoftwareDeviceSigner(), session: ResolveSessionReply? = nil,
        tenant: TenantID = demo
    ) async throws -> DeviceRecord {
        let ticket = try await activation(person, session: session, tenant: tenant).ticket
        let reply = try await call(registration(ticket, key, tenant: tenant))
        try await confirm(reply.device, tenant: tenant)
        return reply.device
    }

    func setup(_ device: DeviceRecord, password: String = "correct horse") -> StartPhoneSignIn {
        StartPhoneSignIn.with {
            $0.tenant = device.tenant
            $0.deviceID = device.id
            $0.password = Data(password.utf8)
        }
    }

    func confirmSetup(_ challenge: String, _ device: DeviceRecord, approved: Bool = true) -> ConfirmDevice {
        ConfirmDevice.with {
            $0.tenant = device.tenant
            $0.challengeID = challenge
            $0.deviceID = device.id
            $0.purpose = "phoneSignInSetup"
            $0.approved = approved
        }
    }

    func read(_ device: DeviceRecord, withSetUp: Bool = false) async throws -> ReadDeviceReply {
        try await call(
            ReadDevice.with {
                $0.tenant = device.tenant
                $0.deviceID = device.id
                $0.withSetUp = withSetUp
            })
    }

    func state(_ activation: CreateActivationReply, of person: PersonRecord, known: String = "", waitMs: UInt32 = 0)
        async throws
        -> AwaitActivationReply
    {
        try await call(
            AwaitActivation.with {
                $0.tenant = Self.demo.rawValue
                $0.personID = person.id
                $0.activationID = activation.id
                $0.knownState = known
                $0.waitMs = waitMs
            })
    }

    func session(_ token: String) async throws(ServiceError) -> ResolveSessionReply {
        try await call(
            ResolveSession.with {
                $0.tenant = Self.demo.rawValue
                $0.tokenDigest = Data(sha256(Array(token.utf8)))
            })
    }
}
