import AsyncHTTPClient
import Domain
import EventLoopTasks
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The connections to one provider: HTTP/2 with all requests on one connection where the provider speaks it. A connection that the
/// provider ends (GOAWAY), or that is left because an answer calls it ended or nothing is heard on it, takes no more requests; the next one
/// goes over another. Shut it down when it is no longer needed.
final class ProviderConnection: Sendable {
    /// Answers say little; of what is longer the rest says nothing.
    private static let answerBytesMax = 64 * 1024
    /// Providers want connections to be kept (APNs takes frequent new ones for an attack), and close them themselves.
    private static let idleTimeout = TimeAmount.minutes(60)

    /// Where requests wait while the provider takes no more.
    let line: RequestLine
    /// All that is done for a provider is done on one loop, where its connection is: requests, their time limits and answers.
    let executor: LoopExecutor
    private let makeClient: @Sendable () -> ProviderClient
    private let clients: Mutex<ConnectionSuccession<ProviderClient>>
    private let timeout: TimeAmount
    /// Who waited for so long has waited for the provider; who was given up sooner knows nothing of it.
    private let fairTime: Duration
    private let now: @Sendable () -> Timestamp

    /// `pinned` says to which address to connect for a name; the certificate is checked against the name all the same.
    init(_ provider: ProviderSettings, pinned: [String: String] = [:]) {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let file = provider.trustRootsFile { tls.trustRoots = .file(file) }
        var settings = HTTPClient.Configuration(
            tlsConfiguration: tls,
            // The target of a redirection was checked by nobody.
            redirectConfiguration: .disallow,
            // An answer that ends in its middle is waited for no longer than one that does not begin.
            timeout: .init(connect: TimeAmount(provider.connectTimeout), read: TimeAmount(provider.timeout)))
        settings.httpVersion = .automatic
        settings.dnsOverride = pinned
        settings.connectionPool.idleTimeout = Self.idleTimeout
        // The circuit breaker decides when to ask again; requests must not pile up here meanwhile.
        settings.connectionPool.retryConnectionEstablishment = false
        let line = RequestLine()
        // The client does not tell a provider's limit of streams, but each one that it opens.
        settings.http2StreamChannelDebugInitializer = { stream in
            line.streamOpened()
            stream.closeFuture.whenComplete { _ in line.streamClosed() }
            return stream.eventLoop.makeCompletedFuture { try RequestStream.prepare(stream.pipeline.syncOperations) }
        }
        self.line = line
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        executor = LoopExecutor(loop)
        let silence = TimeAmount(provider.silence)
        let makeClient: @Sendable () -> ProviderClient = { [settings] in
            ProviderClient(settings, on: loop, silence: silence) { line.streams > 0 }
        }
        self.makeClient = makeClient
        clients = Mutex(ConnectionSuccession(makeClient()))
        timeout = TimeAmount(provider.timeout)
        fairTime = provider.fairTime
        now = provider.now
    }

    func shutdown() async {
        line.close()
        for client in clients.withLock({ $0.close() }) { await client.shutdown() }
    }

    /// The connection that an answer came over is at its end: the next request goes over another. What is under way there ends there.
    func leave(_ answer: ProviderAnswer) { leave(answer.connection) }

    private func leave(_ connection: Int) {
        clients.withLock { $0.leave(connection, for: makeClient) }?.close()
    }

    func post(_ url: String, headers: HTTPHeaders, body: [UInt8]) async throws(ProviderFailure) -> ProviderAnswer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = headers
        request.body = .bytes(ByteBuffer(bytes: body))
        let (connection, client) = clients.withLock { $0.begin() }
        defer { clients.withLock { $0.end(connection) }?.close() }
        let (start, heard) = (now(), client.heard)
        do {
            let response = try await client.execute(request, timeout: timeout)
            return ProviderAnswer(
                status: Int(response.status.code), retryAfter: response.headers.first(name: "retry-after"),
                body: try await Self.beginning(of: response.body), connection: connection)
        } catch {
            let failure = failure(error)
            let isFair = error as? HTTPClientError == .deadlineExceeded || now() - start >= fairTime
            // Nothing says of a connection whether it is dead or its provider slow. Another one finds out, and costs little.
            if failure == .timedOut, isFair, client.heard == heard { leave(connection) }
            throw failure
        }
    }

    /// The rest is not waited for: the provider has answered, whatever else it sends.
    private static func beginning(of body: HTTPClientResponse.Body) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await part in body {
            bytes += part.readableBytesView.prefix(answerBytesMax - bytes.count)
            if bytes.count == answerBytesMax { break }
        }
        return bytes
    }

    private func failure(_ error: any Error) -> ProviderFailure {
        if Task.isCancelled { return .timedOut }
        // The way to the provider is another by now.
        if error as? HTTPClientError == .alreadyShutdown { return .notAsked }
        // With a stream open there is a connection: what took so long is that others were before this one.
        if error as? HTTPClientError == .getConnectionFromPoolTimeout, line.streams > 0 { return .notAsked }
        return ProviderFailure(error)
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) { self = .milliseconds(duration.milliseconds) }
}

extension ProviderFailure {
    /// By the error's type and code, never by its text.
    fileprivate init(_ error: any Error) {
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout, .invalidURL, .emptyHost,
                .emptyScheme:
                self = .unreachable
            case .deadlineExceeded, .readTimeout, .writeTimeout: self = .timedOut
            // Among them `cancelled`, which is what a request gets that a dying connection was given.
            default: self = .interrupted
            }
        case is NIOConnectionError, is SocketAddressError, is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            self = .unreachable
        case let error as IOError where error.errnoCode == ECONNREFUSED: self = .unreachable
        default: self = .interrupted
        }
    }
}
