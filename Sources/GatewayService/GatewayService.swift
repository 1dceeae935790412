// The HTTP edge: the public contract in front, messages to the services behind.
//
// Owns: connections, open waits and event streams, who calls, and how errors look on the internet. Keeps nothing: it can be killed at
// any time. Must not know: any rule of sign-in, which the services own. Start reading at `GatewayRoutes`, the table; a request's way is
// `GatewayResponder`, then one file in `Handlers` a resource.

package import Domain
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
package import Logging
package import Messaging
import NIOCore
import NIOSSL
package import ServiceKit
import ServiceLifecycle
import Synchronization
package import Telemetry

/// One gateway process.
package final class GatewayService: Service {
    private let configuration: GatewayConfiguration
    private let edge: Edge
    private let readiness: Readiness
    private let metrics: GatewayMetrics
    private let registry: MetricsRegistry
    private let logger: Logger
    private let tracer: SpanTracer?
    private let port: (stream: AsyncStream<Int>, continuation: AsyncStream<Int>.Continuation)
    /// The listening port, once it is bound.
    private let listening = Mutex<(any Channel)?>(nil)

    package init(
        configuration: GatewayConfiguration, caller: any ServiceCaller, tenants: any Tenants, readiness: Readiness,
        metrics: MetricsRegistry, logger: Logger, tracer: SpanTracer? = nil,
        soleTenant: @escaping @Sendable () -> TenantID? = { nil },
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.configuration = configuration
        self.logger = logger
        self.tracer = tracer
        registry = metrics
        self.readiness = readiness
        edge = Edge(
            configuration: configuration, caller: caller, tenants: tenants, soleTenant: soleTenant,
            authentication: Authentication(
                caller: caller, tenants: tenants, externalURL: configuration.externalURL, now: now),
            load: RequestLoad(requestsMax: configuration.requestsMax),
            parked: ParkedRequests(waitsMax: configuration.parkedWaitsMax),
            streams: EventStreams(streamsMax: configuration.eventStreamsMax), bodies: BodyDeadlines(),
            hub: LiveHub(
                caller: caller, logger: logger, callTimeout: configuration.callTimeout,
                listenerName: Domain.RequestID.make(at: now()).description, now: now),
            logger: logger, now: now)
        self.metrics = GatewayMetrics(metrics, edge)
        port = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The port that was bound, once it is: of use where the configuration says 0.
    package func boundPort() async -> Int? {
        for await port in port.stream { return port }
        return nil
    }

    /// Whether connections are accepted: what `/readyz` names.
    package var isListening: Bool { listening.withLock { $0 != nil } }

    package func run() async throws {
        if let problem = configuration.problem { throw GatewayError.configuration(problem) }
        let server = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: try application())], logger: quietLogger))
        let ticker = SecondTicker { [edge] in
            edge.streams.tick()
            edge.bodies.tick()
        }
        // A task of its own, so that a shutdown reaches it through `stop` alone.
        let serving = Task.detached { try await server.run() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await serving.value }
                group.addTask { await ticker.run() }
                group.addTask { await self.edge.hub.run() }
                // The server returns when every connection is done; what runs beside it then has no purpose.
                defer { group.cancelAll() }
                try await group.next()
            }
        } onCancelOrGracefulShutdown: {
            Task { await self.stop(server) }
        }
    }

    /// Waits are answered with what is so now, streams end, nobody new is accepted, and the server ends with its last connection.
    private func stop(_ server: ServiceGroup) async {
        readiness.drain()
        // A request that comes over a connection while it is closed is lost, and a proxy must not send it again.
        try? await Task.sleep(for: configuration.shutdownDelay)
        edge.parked.drain()
        edge.streams.drain()
        if let port = listening.withLock({ $0 }) { await port.stopAccepting() }
        await server.triggerGracefulShutdown()
    }

    /// What the libraries say is worth a line only when it is a warning.
    private var quietLogger: Logger {
        var logger = logger
        logger.logLevel = max(.warning, logger.logLevel)
        return logger
    }

    private func application() throws -> some ApplicationProtocol {
        let registry = registry
        let content = try WebContent()
        let exposition: @Sendable () -> String = { registry.exposition() }
        let routes = GatewayRoutes(
            edge: edge,
            operations: Operations(
                readiness: readiness, allowsLoadTests: configuration.allowsLoadTests,
                exposition: configuration.showsMetrics ? exposition : nil),
            content: content)
        let blocks = configuration.trustedProxies.compactMap { AddressBlock($0) }
        let responder = GatewayResponder(
            table: routes.table, edge: edge, metrics: metrics, tracer: tracer,
            addresses: ClientAddress(trusted: blocks), errorPage: ErrorPage(edge: edge, content: content))
        return Application(
            responder: responder, server: try server(),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), backlog: 4096,
                availableConnectionsDelegate: .maximum(configuration.connectionsMax, logger: quietLogger)),
            onServerRunning: { [self] channel in
                await channel.endDeadConnections()
                listening.withLock { $0 = channel }
                port.continuation.yield(channel.localAddress?.port ?? 0)
            }, logger: quietLogger)
    }

    private func server() throws -> HTTPServerBuilder {
        let idle = configuration.idleTimeout
        let (edge, metrics) = (edge, metrics)
        let http1 = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionWatch(), UnreadableRequests(edge: edge, metrics: metrics),
            ], idleTimeout: .milliseconds(idle.milliseconds))
        guard let files = configuration.tls else { return .http1(configuration: http1) }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(files.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem)))
        tls.minimumTLSVersion = .tlsv12
        return try .http2Upgrade(
            tlsConfiguration: tls,
            configuration: HTTP2ChannelConfiguration(idleTimeout: idle, streamConfiguration: http1))
    }
}

package enum GatewayError: Error, CustomStringConvertible {
    case configuration(String)

    package var description: String {
        switch self {
        case .configuration(let problem): problem
        }
    }
}
