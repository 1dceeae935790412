import AsyncHTTPClient
import NIOCore
import NIOSSL

/// A client of HTTP with the connection that it keeps to a provider. It is used until that connection is at its end.
final class ProviderClient: Sendable {
    private let client: HTTPClient

    init(_ settings: HTTPClient.Configuration, on loop: any EventLoop) {
        var settings = settings
        settings.http2ConnectionDebugInitializer = { connection in
            connection.eventLoop.submit {
                let pipeline = connection.pipeline.syncOperations
                let tls = try pipeline.handler(type: NIOSSLHandler.self)
                try pipeline.addHandler(WriteConsolidation(), position: .after(tls))
            }
        }
        client = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: settings)
    }

    func execute(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
        try await client.execute(request, timeout: timeout)
    }

    /// What is under way is interrupted.
    func shutdown() async {
        // The only error is a second shutdown, which asks for what is already so.
        try? await client.shutdown()
    }

    /// The same, for one that nothing is under way at: nobody waits for its connection to be closed.
    func close() { client.shutdown { _ in } }
}
