import Domain
import Foundation
import Logging
import Messaging
import PolicyService
import Secrets
import ServiceKit
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import Telemetry
import TestSupport
import Wire

/// A policy service over a real store in a temporary folder, with a directory that knows two people and one group.
final class PolicyBench: Sendable {
    let folder: String
    let bus = DirectBus()
    let time = Mutex(Timestamp(seconds: 1_800_000_000))
    let checks = Mutex(0)
    private let running = Mutex<(service: PolicyService, store: SQLiteStore<any PolicyRecords>)?>(nil)

    init() async throws {
        folder = NSTemporaryDirectory() + "policy-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var directory = Routes(service: .registration)
        directory.on(CheckTargets.self) { [self] request, _ in
            checks.withLock { $0 += 1 }
            return .with {
                $0.unknownPersonIds = request.personIds.filter { !["p1", "p2"].contains($0) }
                $0.unknownGroupIds = request.groupIds.filter { $0 != "g1" }
            }
        }
        bus.add(directory)
        try start()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var service: PolicyService {
        running.withLock { running in
            guard let running else { preconditionFailure("the bench has been stopped") }
            return running.service
        }
    }

    var operatorTokenFile: String { folder + "/operator-token" }

    func start() throws {
        let store = try SQLiteStore<any PolicyRecords>.policy(path: folder + "/policy.sqlite")
        let service = try PolicyService(
            PolicyService.Dependencies(
                store: store, caller: bus.caller(.policy), sealer: .ephemeral(), metrics: MetricsRegistry(),
                logger: Logger(label: "policy", factory: { _ in SwiftLogNoOpLogHandler() }),
                now: { [self] in time.withLock { $0 } }),
            configuration: PolicyConfiguration(operatorTokenFile: operatorTokenFile))
        bus.add(service.routes)
        running.withLock { $0 = (service, store) }
    }

    func stop() async {
        bus.remove(.policy)
        let store = running.withLock { running in
            defer { running = nil }
            return running?.store
        }
        await store?.close()
    }

    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }

    func call<Request: ServiceRequest>(_ request: Request, id: RequestID? = nil, from caller: ServiceName = .gateway)
        async throws
        -> Request.Reply
    {
        let id = id ?? RequestID.make(at: time.withLock { $0 })
        return try await bus.caller(caller).call(
            request, CallContext(requestID: id, originID: id, deadline: .now + .seconds(30)))
    }

    static let administrator = Actor.with {
        $0.kind = "token"
        $0.id = "t1"
        $0.name = "Ada"
    }

    @discardableResult
    func createTenant(_ id: String = "demo", name: String = "Demo") async throws -> CreateTenantReply {
        try await call(
            CreateTenant.with {
                $0.id = id
                $0.name = name
                $0.actor = Self.administrator
            })
    }

    func createClient(_ tenant: String = "demo", _ change: (inout CreateClient) -> Void = { _ in }) async throws
        -> CreateClientReply
    {
        var request = CreateClient()
        request.tenant = tenant
        request.name = "Payroll"
        request.actor = Self.administrator
        change(&request)
        return try await call(request)
    }

    func policy(_ tenant: String = "demo") async throws -> DocumentReply {
        try await call(ReadPolicyDocument.with { $0.tenant = tenant })
    }

    func settings(_ tenant: String = "demo") async throws -> DocumentReply {
        try await call(ReadSettings.with { $0.tenant = tenant })
    }

    func changePolicy(_ patch: String, ifMatch: String, _ tenant: String = "demo", id: RequestID? = nil) async throws
        -> DocumentReply
    {
        try await call(
            ChangePolicyDocument.with {
                $0.tenant = tenant
                $0.mergePatch = Data(patch.utf8)
                $0.ifMatch = ifMatch
                $0.actor = Self.administrator
            }, id: id)
    }

    func changeSettings(_ patch: String, ifMatch: String, _ tenant: String = "demo") async throws -> DocumentReply {
        try await call(
            ChangeSettings.with {
                $0.tenant = tenant
                $0.mergePatch = Data(patch.utf8)
                $0.ifMatch = ifMatch
                $0.actor = Self.administrator
            })
    }

    /// Returns once as many followers are parked.
    func followersParked(_ count: Int) async {
        while service.followersParked < count { await Task.yield() }
    }

    func watch(_ reply: WatchPolicyReply = WatchPolicyReply(), wait: UInt32 = 0) async throws -> WatchPolicyReply {
        try await call(
            WatchPolicy.with {
                $0.knownRevision = reply.revision
                $0.epoch = reply.epoch
                $0.waitMs = wait
            }, from: .challenge)
    }
}

/// The refusal of `body`, or nil when it was not refused.
func refusal(_ body: () async throws -> some Any) async -> ServiceError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return ServiceError(cause: error)
    }
}

func digest(_ secret: String) -> Data { Data(sha256(Array(secret.utf8))) }

extension DocumentReply {
    var document: JSONValue { get throws { try JSONValue(parsing: Array(json)) } }
}
