import Domain
import Foundation
import Logging
import Messaging
import Proofs
import Secrets
import ServiceKit
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import Telemetry
import TestSupport
import VerifierService
import Wire

/// A verifier over a real database, between a registration and a challenge that a test sets by hand.
final class VerifierBench: Sendable {
    static let tenant = TenantID("demo")
    static let audience = "http://127.0.0.1:8080/demo"
    static let secret = Array("12345678901234567890".utf8)

    /// What the stubs say and saw.
    struct World: Sendable {
        var now = Timestamp(seconds: 1_750_000_000)
        var devices: [String: ReadDeviceReply] = [:]
        var reads = 0
        var secrets: [OfflineSecret] = []
        var password: [UInt8] = Array("correct".utf8)
        var settled: [Settle] = []
        /// Challenge refuses whoever lacks it.
        var isPhoneSignInNeeded = false
        /// Challenge wants it of whoever has another.
        var appVersionNeeded: String?
        /// When each answer had its effect.
        var answeredAt: [String: Timestamp] = [:]
        var outcome = SettleReply.with {
            $0.status = "approved"
            $0.purpose = "signIn"
        }
        var watchers: [CheckedContinuation<WatchDevicesReply, Never>] = []
        var requests: UInt64 = 0
    }

    let world = Mutex(World())
    let bus = DirectBus()
    let tenants: FixedTenants
    let store: SQLiteStore<any VerifierRecords>
    let phone = SoftwareDeviceSigner()
    private let folder: URL

    init(_ change: (inout TenantSettings) -> Void = { _ in }) throws {
        var settings = TenantSettings()
        change(&settings)
        tenants = FixedTenants(TenantView(id: Self.tenant, name: "Demo", settings: settings))
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("verifier-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = try .verifier(path: folder.appendingPathComponent("verifier.db").path)
        bus.add(registration)
        bus.add(challenge)
        bus.add(service().routes)
        add(device: "d1", person: "p1", key: phone.publicKey)
        world.withLock { $0.secrets = [Self.offlineSecret("d1", Self.secret)] }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static func offlineSecret(_ device: String, _ bytes: [UInt8]) -> OfflineSecret {
        .with {
            $0.deviceID = device
            $0.secret = Data(bytes)
            $0.algorithm = "SHA1"
            $0.digits = 6
            $0.period = 30
            $0.deviceName = "Phone \(device)"
        }
    }

    func service() -> VerifierService {
        VerifierService(
            .init(
                store: store, caller: bus.caller(.verifier), tenants: tenants, sealer: .ephemeral(),
                metrics: MetricsRegistry(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { self.now }))
    }

    var now: Timestamp { world.withLock(\.now) }
    func advance(_ duration: Duration) { world.withLock { $0.now = $0.now + duration } }

    func add(device: String, person: String, key: PublicKeyJWK, username: String = "Alice") {
        world.withLock { world in
            world.devices[device] = .with {
                $0.found = true
                $0.username = username
                $0.device.id = device
                $0.device.personID = person
                $0.device.state = "active"
                $0.device.phoneSignIn = true
                $0.device.publicKey = Data(key.x963)
            }
        }
    }

    // MARK: asking

    func context() -> CallContext {
        let number = world.withLock { world in
            world.requests += 1
            return world.requests
        }
        let id = RequestID(high: 7 << 12, low: number)
        return CallContext(requestID: id, originID: id, deadline: .now + .seconds(5))
    }

    func proof(device: String = "d1", body: [UInt8]? = nil, jti: [UInt8]? = nil, skewed: Duration = .zero) async throws
        -> String
    {
        try await DeviceProofClaims(
            method: "GET", url: "http://127.0.0.1:8080/v1/demo/devices/d1", issuedAt: now + skewed,
            identifier: jti ?? randomBytes(16),
            bodyDigest: body.map(contentDigest)
        ).signed(by: phone, device: DeviceID(device))
    }

    func verify(proof: String, body: [UInt8]? = nil, _ context: CallContext? = nil) async throws(ServiceError)
        -> VerifyDeviceProofReply
    {
        let request = VerifyDeviceProof.with {
            $0.tenant = Self.tenant.rawValue
            $0.proof = proof
            $0.deviceID = "d1"
            $0.httpMethod = "GET"
            $0.url = "http://127.0.0.1:8080/v1/demo/devices/d1"
            $0.bodyDigest = Data(body.map(contentDigest) ?? [])
        }
        return try await bus.caller(.gateway).call(request, context ?? self.context())
    }

    func answer(
        _ choice: AnswerClaims.Choice = .approve(number: "42", userVerified: true), challenge: String = "c1",
        device: String = "d1",
        audience: String = audience, by signer: SoftwareDeviceSigner? = nil
    ) async throws -> String {
        try await AnswerClaims(
            audience: audience, challenge: ChallengeID(challenge), choice: choice, contentDigest: contentDigest([1]),
            issuedAt: now
        ).signed(by: signer ?? phone, device: DeviceID(device))
    }

    func verify(answer: String, challenge: String = "c1") async throws(ServiceError) -> VerifyAnswerReply {
        let request = VerifyAnswer.with {
            $0.tenant = Self.tenant.rawValue
            $0.challengeID = challenge
            $0.answer = answer
            $0.audience = Self.audience
        }
        return try await bus.caller(.gateway).call(request, context())
    }

    struct Code {
        var code: String
        var challenge = "c1"
        var username = "Alice"
        var person = "p1"
        var password: String?
        var isPasswordRequired = false
    }

    func request(_ code: Code) -> VerifyCode {
        .with {
            $0.tenant = Self.tenant.rawValue
            $0.challengeID = code.challenge
            $0.username = code.username
            $0.personID = code.person
            $0.code = code.code
            $0.passwordRequired = code.isPasswordRequired
            if let password = code.password { $0.password = Data(password.utf8) }
        }
    }

    func verify(_ code: Code, _ context: CallContext? = nil) async throws(ServiceError) -> VerifyCodeReply {
        try await bus.caller(.challenge).call(request(code), context ?? self.context())
    }

    /// The code that the phone shows now, or so many steps later.
    func code(_ steps: Int64 = 0, secret: [UInt8] = secret) throws -> String {
        guard let password = TimeBasedPassword(secret: secret) else { throw ProofError.malformed }
        return password.code(step: password.step(at: now) + steps)
    }

    /// The error of a call that must fail.
    func failure<Reply>(_ body: () async throws(ServiceError) -> Reply) async -> ServiceError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error
        }
    }

    // MARK: stubs

    private var registration: Routes {
        var routes = Routes(service: .registration)
        routes.on(ReadDevice.self) { request, _ in
            self.world.withLock { world in
                world.reads += 1
                return world.devices[request.deviceID] ?? ReadDeviceReply()
            }
        }
        routes.on(WatchDevices.self) { request, _ in
            if request.epoch == 0 {
                return .with {
                    $0.epoch = 9
                    $0.revision = 1
                    $0.resync = true
                }
            }
            return await withCheckedContinuation { continuation in
                self.world.withLock { $0.watchers.append(continuation) }
            }
        }
        routes.on(ReadOfflineSecrets.self) { request, _ in
            .with { reply in reply.secrets = request.personID == "p1" ? self.world.withLock(\.secrets) : [] }
        }
        routes.on(VerifyPassword.self) { request, _ in
            .with { reply in
                reply.correct =
                    request.username == "Alice" && Array(request.password) == self.world.withLock(\.password)
            }
        }
        return routes
    }

    private var challenge: Routes {
        var routes = Routes(service: .challenge)
        routes.on(Settle.self) { request, _ in
            try self.world.withLock { world in
                world.settled.append(request)
                if world.isPhoneSignInNeeded, !request.phoneSignIn {
                    throw ServiceError(.refused, "the answer is not accepted")
                }
                if let needed = world.appVersionNeeded, request.facts.appVersion != needed {
                    throw ServiceError(.updateRequired, "the device needs an update")
                }
                var reply = world.outcome
                reply.repeatedAnswer = world.answeredAt[request.answer] != nil
                let at = world.answeredAt[request.answer] ?? world.now
                world.answeredAt[request.answer] = at
                reply.answeredAtMs = at.milliseconds
                return reply
            }
        }
        routes.on(ReadAnswer.self) { _, _ in throw ServiceError(.notFound, "no such answer") }
        return routes
    }
}
