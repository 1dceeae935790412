public import Foundation

/// One HTTP request to the server.
public struct TransportRequest: Sendable {
    public let method: String
    public let url: String
    public let headers: [(name: String, value: String)]
    public let body: Data?
    /// How long the whole exchange may take; for an event stream, how long until its head has come.
    public let timeout: Duration

    public init(method: String, url: String, headers: [(name: String, value: String)], body: Data?, timeout: Duration) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }
}

/// The status and headers of a reply.
public struct TransportHead: Sendable {
    public let status: Int
    private let headers: [String: String]

    public init(status: Int, headers: some Sequence<(name: String, value: String)>) {
        self.status = status
        self.headers = Dictionary(headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
    }

    /// A header's value; its name in any case.
    public subscript(_ name: String) -> String? { headers[name.lowercased()] }
}

/// A whole reply.
public struct TransportResponse: Sendable {
    public let head: TransportHead
    public let body: Data

    public init(head: TransportHead, body: Data) {
        self.head = head
        self.body = body
    }
}

/// A reply whose body goes on: server-sent events.
public struct TransportStream: Sendable {
    public let head: TransportHead
    /// The body in pieces as they come, cut anywhere. Ends when the server ends it; throws when the connection is lost or silent
    /// for too long; ends it when nobody iterates any more.
    public let body: AsyncThrowingStream<Data, any Error>

    public init(head: TransportHead, body: AsyncThrowingStream<Data, any Error>) {
        self.head = head
        self.body = body
    }
}

/// Why no reply came. A reply with an error status is a reply.
public enum TransportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No connection: no network, name not found, refused.
    case unreachable
    /// TLS was refused: an unknown certificate, another name.
    case untrusted
    case timedOut
    /// The connection was lost: whether the server acted is unknown.
    case interrupted
    /// The reply was larger than this product ever sends.
    case replyTooLarge

    public var description: String {
        switch self {
        case .unreachable: "the server cannot be reached"
        case .untrusted: "the server's certificate is not trusted"
        case .timedOut: "the server did not answer in time"
        case .interrupted: "the connection was lost"
        case .replyTooLarge: "the server's reply is too large"
        }
    }
}

/// Carries requests to servers. `AuthenticatorHTTP` has one; an app may bring its own, over URLSession for instance.
public protocol Transport: Sendable {
    /// One request and its whole reply. Must not follow redirects: a proof is made for one URL.
    func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse
    /// Opens an event stream; returns when the head has come.
    func open(_ request: TransportRequest) async throws(TransportError) -> TransportStream
}
