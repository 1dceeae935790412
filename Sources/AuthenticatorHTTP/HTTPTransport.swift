// Carries the authenticator's requests over HTTP/1.1 or HTTP/2 with AsyncHTTPClient.
//
// Owns: connections, TLS, time limits, sizes, and what a broken connection is called. Must not know: what is in a request, or when
// an event stream is opened again (`Authenticator.listen` decides). Start reading here.

import AsyncHTTPClient
public import Authenticator
import DeviceAPI
import Foundation
package import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL

/// One connection pool. Shut it down when it is no longer needed.
public final class HTTPTransport: Transport {
    /// What a transport may be told. The defaults suit a phone.
    public struct Configuration: Sendable {
        public var connectTimeout: Duration
        /// A stream that says nothing for so long is dead: the server sends a comment every 15 s.
        public var silenceMax: Duration
        /// A PEM file of certificate authorities to trust instead of the system's, for a server with a private one.
        public var trustRootsFile: String?
        public var userAgent: String
        /// Connections to one server that speaks HTTP/1.1. Each account's event stream keeps one, and an answer needs another.
        public var connectionsMax: Int

        public init(
            connectTimeout: Duration = .seconds(10), silenceMax: Duration = .seconds(40), trustRootsFile: String? = nil,
            userAgent: String = "countersign-authenticator", connectionsMax: Int = 64
        ) {
            self.connectTimeout = connectTimeout
            self.silenceMax = silenceMax
            self.trustRootsFile = trustRootsFile
            self.userAgent = userAgent
            self.connectionsMax = connectionsMax
        }
    }

    /// A whole reply is at most this large: the largest of the contract's is a list of a few requests.
    private static let replyBytesMax = 1024 * 1024

    private let client: HTTPClient
    private let userAgent: String

    public convenience init(_ configuration: Configuration = Configuration()) {
        self.init(configuration, on: HTTPClient.defaultEventLoopGroup)
    }

    /// On event loops of the caller's, which must outlive the transport.
    package init(_ configuration: Configuration, on group: any EventLoopGroup) {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = configuration.trustRootsFile { tls.trustRoots = .file(file) }
        var settings = HTTPClient.Configuration(
            tlsConfiguration: tls,
            // A proof is made for one URL, so another one is never followed.
            redirectConfiguration: .disallow,
            timeout: .init(
                connect: TimeAmount(configuration.connectTimeout), read: TimeAmount(configuration.silenceMax)))
        settings.httpVersion = .automatic
        // Who is not there is said at once; whoever asked knows whether to try again.
        settings.connectionPool.retryConnectionEstablishment = false
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.connectionsMax
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: settings)
        userAgent = configuration.userAgent
    }

    /// Closes all connections; requests that are under way fail.
    public func shutdown() async {
        // The only error is a second shutdown, which asks for what is already so.
        try? await client.shutdown()
    }

    public func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        do {
            let response = try await client.execute(outgoing(request), timeout: TimeAmount(request.timeout))
            let body = try await response.body.collect(upTo: Self.replyBytesMax)
            return TransportResponse(head: response.transportHead, body: Data(buffer: body))
        } catch {
            throw TransportError(error)
        }
    }

    public func open(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
        let response: HTTPClientResponse
        do {
            response = try await within(request.timeout) { [client] in
                try await client.execute(self.outgoing(request), deadline: .distantFuture)
            }
        } catch {
            throw TransportError(error)
        }
        return TransportStream(head: response.transportHead, body: Self.pieces(of: response.body))
    }

    private func outgoing(_ request: TransportRequest) -> HTTPClientRequest {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = HTTPMethod(rawValue: request.method)
        outgoing.headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        outgoing.headers.add(name: "User-Agent", value: userAgent)
        if let body = request.body { outgoing.body = .bytes(ByteBuffer(data: body)) }
        return outgoing
    }

    private static func pieces(of body: HTTPClientResponse.Body) -> AsyncThrowingStream<Data, any Error> {
        AsyncThrowingStream { continuation in
            // Unstructured because the body outlives the call that opened it; it ends with the stream.
            let task = Task {
                do {
                    for try await piece in body { continuation.yield(Data(buffer: piece)) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: TransportError(error))
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func within<Value: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async throws -> Value)
        async throws -> Value
    {
        try await withThrowingTaskGroup(of: Value.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw TransportError.timedOut
            }
            guard let value = try await group.next() else { throw TransportError.timedOut }
            return value
        }
    }
}

extension HTTPClientResponse {
    fileprivate var transportHead: TransportHead {
        TransportHead(status: Int(status.code), headers: headers.map { (name: $0.name, value: $0.value) })
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) {
        self = .nanoseconds(
            duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
    }
}
