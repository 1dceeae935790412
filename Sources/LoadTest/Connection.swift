import AsyncHTTPClient
import AuthenticatorHTTP
import EventLoopTasks
import NIOCore
import NIOPosix
import NIOSSL

/// The pools of connections of one run, on one event loop.
struct Connection: Sendable {
    let api: PublicAPI
    let transport: CountingTransport

    /// Runs `work` on the event loop's thread with connections to the target, and closes them. `connectionsMax` is for each pool.
    static func open<Value: Sendable>(
        to target: Target, connectionsMax: Int, _ work: @escaping @Sendable (Connection) async throws -> Value
    ) async throws -> Value {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = target.trustRootsFile { tls.trustRoots = .file(file) }
        var settings = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)))
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsMax
        let http = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: settings)
        let phones = HTTPTransport(
            .init(trustRootsFile: target.trustRootsFile, connectionsMax: connectionsMax), on: group)
        let meter = RequestMeter()
        let connection = Connection(
            api: PublicAPI(http: http, base: target.base, meter: meter),
            transport: CountingTransport(transport: phones, meter: meter))
        let result: Result<Value, any Error>
        do {
            result = .success(
                try await withTaskExecutorPreference(LoopExecutor(group.next())) { try await work(connection) })
        } catch {
            result = .failure(error)
        }
        await phones.shutdown()
        try await http.shutdown()
        try await group.shutdownGracefully()
        return try result.get()
    }
}
