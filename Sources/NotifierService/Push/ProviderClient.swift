import AsyncHTTPClient
import NIOCore
import NIOSSL

/// A client of HTTP with the connection that it keeps to a provider. It is used until that connection is at its end.
final class ProviderClient: Sendable {
    private let client: HTTPClient
    /// In front of all that it connects by.
    private let hearing: Hearing

    /// A connection that is silent for so long while `isAwaited` is asked whether it is alive.
    init(
        _ settings: HTTPClient.Configuration, on loop: any EventLoop, silence: TimeAmount,
        isAwaited: @escaping @Sendable () -> Bool
    ) {
        var settings = settings
        let hearing = Hearing()
        self.hearing = hearing
        settings.http1_1ConnectionDebugInitializer = { connection in
            connection.eventLoop.submit {
                try connection.pipeline.syncOperations.addHandler(hearing, position: .first)
            }
        }
        settings.http2ConnectionDebugInitializer = { connection in
            connection.eventLoop.submit {
                let pipeline = connection.pipeline.syncOperations
                let tls = try pipeline.handler(type: NIOSSLHandler.self)
                try pipeline.addHandler(WriteConsolidation(), position: .after(tls))
                try pipeline.addHandler(hearing, position: .first)
                try pipeline.addHandler(SilenceWatch(every: silence, isAwaited: isAwaited), position: .first)
            }
        }
        client = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: settings)
    }

    /// How often something was heard of the provider; the same again is silence.
    var heard: Int { hearing.count }

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
