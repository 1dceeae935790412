package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
package import Telemetry

/// What an operator asks of each process over HTTP: `/healthz`, `/readyz`, `/metrics`. One request a connection.
package struct OperationsServer: Service {
    static let connectionsMax = 64
    private static let backlog: Int32 = 64
    /// From accept to the end of the reply.
    private static let connectionTimeout = TimeAmount.seconds(10)

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private let address: SocketAddressText
    private let readiness: Readiness
    private let metrics: MetricsRegistry
    private let logger: Logger

    package init(address: SocketAddressText, readiness: Readiness, metrics: MetricsRegistry, logger: Logger) {
        self.address = address
        self.readiness = readiness
        self.metrics = metrics
        self.logger = logger
    }

    package func run() async throws {
        let server: NIOAsyncChannel<Connection, Never>
        do {
            server = try await listen()
        } catch {
            throw StartProblem.listen("\(address)", reason: "\(error)")
        }
        logger.info("operations listening", metadata: ["address": "\(address)"])
        try await withGracefulShutdownHandler {
            try await server.executeThenClose { connections in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    var open = 0
                    for try await connection in connections {
                        // The next one waits until one of these is over; those after it, with the system.
                        if open == Self.connectionsMax {
                            try await group.next()
                            open -= 1
                        }
                        open += 1
                        group.addTask { await serve(connection) }
                    }
                }
            }
        } onGracefulShutdown: {
            Task {
                await server.channel.stopAccepting()
                // Ends the sequence of connections; those that are open finish by themselves.
                server.channel.close(promise: nil)
            }
        }
    }

    private func listen() async throws -> NIOAsyncChannel<Connection, Never> {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Accepting one at a time keeps the queue with the system, which is bounded.
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .bind(
                host: address.host, port: address.port,
                serverBackPressureStrategy: .init(lowWatermark: 1, highWatermark: 1)
            ) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    channel.eventLoop.scheduleTask(in: Self.connectionTimeout) { channel.close(promise: nil) }
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// A connection that breaks is its peer's business.
    private func serve(_ connection: Connection) async {
        try? await connection.executeThenClose { inbound, outbound in
            for try await part in inbound {
                guard case .head(let head) = part else { continue }
                let answer = await OperationsAnswer(head, readiness: readiness, metrics: metrics)
                try await outbound.write(.head(answer.head))
                if head.method != .HEAD {
                    try await outbound.write(.body(.byteBuffer(ByteBuffer(string: answer.body))))
                }
                try await outbound.write(.end(nil))
                return
            }
        }
    }
}

/// The reply to one request of an operator.
struct OperationsAnswer {
    let status: HTTPResponseStatus
    let contentType: String
    let body: String

    init(_ request: HTTPRequestHead, readiness: Readiness, metrics: MetricsRegistry) async {
        guard request.method == .GET || request.method == .HEAD else {
            (status, contentType, body) = (.methodNotAllowed, "text/plain; charset=utf-8", "only GET\n")
            return
        }
        switch request.uri.prefix(while: { $0 != "?" }) {
        case "/healthz":
            (status, contentType, body) = (.ok, "application/json", "{\"status\":\"up\"}")
        case "/readyz":
            let report = await readiness.report()
            (status, contentType, body) = (report.isReady ? .ok : .serviceUnavailable, "application/json", report.json)
        case "/metrics":
            await readiness.report().record(in: metrics)
            (status, contentType, body) = (.ok, MetricsRegistry.contentType, metrics.exposition())
        default:
            (status, contentType, body) = (
                .notFound, "text/plain; charset=utf-8", "there are /healthz, /readyz and /metrics\n"
            )
        }
    }

    var head: HTTPResponseHead {
        var headers: HTTPHeaders = [
            "Content-Type": contentType, "Content-Length": "\(body.utf8.count)", "Cache-Control": "no-store",
            "Connection": "close",
        ]
        if status == .serviceUnavailable { headers.add(name: "Retry-After", value: "1") }
        if status == .methodNotAllowed { headers.add(name: "Allow", value: "GET, HEAD") }
        return HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    }
}
