import AsyncHTTPClient
import DeviceAPI
import Domain
import Foundation
import GatewayService
import Logging
import Messaging
import NIOCore
import NIOHTTP1
import Secrets
import ServiceKit
import SwiftProtobuf
import Synchronization
import Telemetry
import TestSupport
import Wire

/// A gateway on a port of its own, in front of services whose answers a test writes down.
final class GatewayHarness: Sendable {
    let bus = DirectBus()
    let tenants = FixedTenants(TenantView(id: TenantID("demo"), name: "Demo"))
    let soleTenant = Mutex<TenantID?>(nil)
    private let base = Mutex("")
    private let lines = Mutex<[String]>([])

    var url: String { base.withLock { $0 } }
    /// What it has logged, a JSON object each.
    var log: [String] { lines.withLock { $0 } }

    /// Serves while `body` runs.
    static func run(
        _ configure: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (GatewayHarness) async throws -> Void
    ) async throws {
        let harness = GatewayHarness()
        var configuration = GatewayConfiguration(port: 0, externalURL: "http://127.0.0.1")
        configure(&configuration)
        let service = harness.service(configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await service.run() }
            let port = await service.boundPort() ?? 0
            harness.base.withLock { $0 = "http://127.0.0.1:\(port)" }
            defer { group.cancelAll() }
            try await body(harness)
        }
    }

    func service(_ configuration: GatewayConfiguration) -> GatewayService {
        GatewayService(
            configuration: configuration, caller: bus.caller(.gateway), tenants: tenants, readiness: Readiness(),
            metrics: MetricsRegistry(),
            logger: Logger(label: "test") { _ in
                JSONLogHandler(
                    identity: LogIdentity(service: "gateway", instance: "i"), level: .info,
                    now: { Timestamp(seconds: 0) }, write: { line in self.lines.withLock { $0.append(line) } })
            },
            soleTenant: { self.soleTenant.withLock { $0 } },
            now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) })
    }

    // MARK: services

    func policy(_ change: (inout Routes) -> Void = { _ in }) {
        var routes = Routes(service: .policy)
        routes.on(AuthenticateClient.self) { request, _ in
            guard request.clientID == "app", Array(request.secretDigest) == sha256(Array("secret".utf8)) else {
                throw ServiceError(.invalidCredentials)
            }
            return .with {
                $0.client = .with {
                    ($0.id, $0.name, $0.applications, $0.roles) = ("app", "Payroll", ["Payroll", "Other"], ["signIn"])
                }
                $0.revision = 1
            }
        }
        routes.on(AuthenticateToken.self) { request, _ in
            guard Array(request.tokenDigest) == sha256(Array("admin-token".utf8)) else {
                throw ServiceError(.notAuthenticated)
            }
            return .with { ($0.kind, $0.name, $0.tokenID, $0.revision) = ("admin", "first", "t1", 1) }
        }
        change(&routes)
        bus.add(routes)
    }

    func challenge(_ change: (inout Routes) -> Void) {
        var routes = Routes(service: .challenge)
        change(&routes)
        bus.add(routes)
    }

    func add(_ service: ServiceName, _ change: (inout Routes) -> Void) {
        var routes = Routes(service: service)
        change(&routes)
        bus.add(routes)
    }

    // MARK: requests

    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let body: String

        var problem: ProblemDocument? { try? JSONDecoder().decode(ProblemDocument.self, from: Data(body.utf8)) }
    }

    static let application = ("Authorization", "Basic " + Data("app:secret".utf8).base64EncodedString())
    static let administrator = ("Authorization", "Bearer admin-token")
    static let json = ("Content-Type", "application/json")

    func request(_ method: HTTPMethod, _ path: String, _ headers: [(String, String)] = [], body: [UInt8]? = nil)
        -> HTTPClientRequest
    {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        return request
    }

    /// What the gateway said and not what a client makes of it: redirects are not followed, nothing is unpacked. Lives as long as the process.
    private static let client = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))

    func send(_ method: HTTPMethod, _ path: String, _ headers: [(String, String)] = [], body: [UInt8]? = nil)
        async throws -> Answer
    {
        let reply = try await Self.client.execute(
            request(method, path, headers, body: body), timeout: .seconds(30))
        let buffer = try await reply.body.collect(upTo: 1 << 24)
        return Answer(status: Int(reply.status.code), headers: reply.headers, body: String(buffer: buffer))
    }

    func post(_ path: String, _ json: String, _ headers: [(String, String)] = [application]) async throws -> Answer {
        try await send(.POST, path, headers + [Self.json], body: Array(json.utf8))
    }
}

extension BeginChallengeReply {
    static let sample = BeginChallengeReply.with {
        ($0.id, $0.secret, $0.number) = ("c1", "s1", "42")
        ($0.createdAtMs, $0.expiresAtMs, $0.methods) = (1_700_000_000_000, 1_700_000_060_000, ["push", "code"])
    }
}

extension OutcomeReply {
    static func sample(_ status: String) -> OutcomeReply {
        .with { ($0.id, $0.status, $0.expiresAtMs) = ("c1", status, 1_700_000_060_000) }
    }
}
