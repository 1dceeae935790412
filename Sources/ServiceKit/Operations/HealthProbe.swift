import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a running process for its `/readyz`, for health checks where there is no HTTP client, as in a container.
enum HealthProbe {
    /// From connecting to the end of the reply; `/readyz` itself answers within two seconds.
    private static let timeout = TimeAmount.seconds(5)

    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// The report of a process that is ready. Throws `StartProblem.notReady`, with the report of one that is not.
    static func ask(_ listening: SocketAddressText) async throws -> String {
        let reply: (status: HTTPResponseStatus, body: String)?
        do {
            reply = try await get("/readyz", of: listening)
        } catch {
            throw StartProblem.notReady("\(listening)", reason: "\(error)")
        }
        guard let reply else { throw StartProblem.notReady("\(listening)", reason: "it gave no answer") }
        guard reply.status == .ok else { throw StartProblem.notReady("\(listening)", reason: reply.body) }
        return reply.body
    }

    /// Nil when the connection ends before the reply does.
    private static func get(
        _ path: String, of listening: SocketAddressText
    ) async throws -> (status: HTTPResponseStatus, body: String)? {
        let host = host(of: listening)
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(timeout)
            .connect(host: host, port: listening.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    channel.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            let headers: HTTPHeaders = ["Host": host, "Connection": "close"]
            try await outbound.write(
                .head(HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)))
            try await outbound.write(.end(nil))
            var status: HTTPResponseStatus?
            var body = ""
            for try await part in inbound {
                switch part {
                case .head(let head): status = head.status
                case .body(let bytes): body += String(buffer: bytes)
                case .end: return status.map { ($0, body) }
                }
            }
            return nil
        }
    }

    /// Whoever listens on every address answers on loopback too.
    private static func host(of listening: SocketAddressText) -> String {
        switch listening.host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: listening.host
        }
    }
}
