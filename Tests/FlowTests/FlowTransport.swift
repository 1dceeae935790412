import Authenticator
import AuthenticatorHTTP
import DeviceAPI
import Foundation
import Synchronization
import Testing

/// HTTP to the gateway, which is reached on the port that it got and called by the URL that it was told to have.
final class FlowTransport: Transport {
    static let externalURL = "http://127.0.0.1"

    private let http = HTTPTransport()
    private let port = Mutex(0)

    func connect(to port: Int) { self.port.withLock { $0 = port } }
    func shutdown() async { await http.shutdown() }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        try await http.send(located(request))
    }

    func open(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
        try await http.open(located(request))
    }

    private func located(_ request: TransportRequest) -> TransportRequest {
        let path = request.url.dropFirst(Self.externalURL.count)
        let url = "\(Self.externalURL):\(port.withLock { $0 })\(path)"
        return TransportRequest(
            method: request.method, url: url, headers: request.headers, body: request.body, timeout: request.timeout)
    }

    /// One request and its reply. `path` is what follows the external URL.
    func send(
        _ method: String, _ path: String, _ headers: [(String, String)] = [], body: (any Encodable)? = nil
    ) async throws -> WebReply {
        var headers = headers.map { (name: $0.0, value: $0.1) }
        let body = try body.map { try ($0 as? Data) ?? JSONEncoder().encode($0) }
        if body != nil, !headers.contains(where: { $0.name == "Content-Type" }) {
            headers.append(("Content-Type", APIMedia.json))
        }
        return WebReply(
            try await send(
                TransportRequest(
                    method: method, url: Self.externalURL + path, headers: headers, body: body, timeout: .seconds(60))))
    }
}

/// A reply as a test looks at it.
struct WebReply: Sendable {
    let head: TransportHead
    let body: Data

    init(_ reply: TransportResponse) {
        head = reply.head
        body = reply.body
    }

    var status: Int { head.status }
    var problem: ProblemDocument? { try? JSONDecoder().decode(ProblemDocument.self, from: body) }
    var code: String? { problem?.code }

    /// The body; fails the test when the status is another one.
    func body<Body: Decodable>(
        _ type: Body.Type, status: Int = 200, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Body {
        try expect(status, sourceLocation: sourceLocation)
        return try JSONDecoder().decode(type, from: body)
    }

    func expect(_ status: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try #require(
            self.status == status, "\(String(decoding: body, as: UTF8.self))", sourceLocation: sourceLocation)
    }
}

/// A transport that remembers what went over it, so that it can be sent again.
final class RecordingTransport: Transport {
    private let inner: FlowTransport
    private let requests = Mutex<[TransportRequest]>([])

    init(_ inner: FlowTransport) { self.inner = inner }

    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        requests.withLock { $0.append(request) }
        return try await inner.send(request)
    }

    func open(_ request: TransportRequest) async throws(TransportError) -> TransportStream {
        requests.withLock { $0.append(request) }
        return try await inner.open(request)
    }

    /// The last request whose URL ends so.
    func last(_ method: String, endingIn suffix: String) throws -> TransportRequest {
        try #require(requests.withLock { $0.last { $0.method == method && $0.url.hasSuffix(suffix) } })
    }

    /// Sends the very same bytes once more.
    func replay(_ request: TransportRequest) async throws -> WebReply { WebReply(try await inner.send(request)) }
}
