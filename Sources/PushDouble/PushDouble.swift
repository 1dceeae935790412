// Push providers that are none: they check what the real ones check, and fail as they are told.
//
// Owns: a server for TLS and HTTP/2, and what APNs, FCM and a push service say of a request. Must not know: how this project's own
// drivers make their requests; what it takes apart it takes apart by itself. Start reading at `ProviderDouble`.

/// One request as the server got it. Header names are in lower case, as HTTP/2 wants them.
package struct DoubleRequest: Sendable {
    /// Which of the server's connections it came over; each has another number.
    package let connection: Int
    package let method: String
    package let path: String
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(
        connection: Int = 1, method: String, path: String, headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.connection = connection
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }

    /// Nil when there is none, or more than one.
    package func header(_ name: String) -> String? {
        guard let first = headers.firstIndex(where: { $0.name == name }),
            !headers[(first + 1)...].contains(where: { $0.name == name })
        else { return nil }
        return headers[first].value
    }
}

package struct DoubleReply: Hashable, Sendable {
    package var status: Int
    package var headers: [String: String]
    package var body: String

    package init(_ status: Int, headers: [String: String] = [:], body: String = "") {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What one provider says of a request that is not made to fail.
package protocol ProviderDouble: Sendable {
    func reply(to request: DoubleRequest) -> DoubleReply

    /// Nothing more comes over this connection.
    func ended(connection: Int)

    /// How it says that it gets too many requests: 429 with `Retry-After`.
    func throttled(retryAfter seconds: Int) -> DoubleReply

    /// How it says that it cannot take any for now: 503.
    var unavailable: DoubleReply { get }
}

extension ProviderDouble {
    package func ended(connection: Int) {}
}

/// How a request is made to fail. Each fault is for one request, though the connection may end by it.
package enum Fault: Hashable, Sendable {
    /// Answers so, without a look at the request.
    case refuse(DoubleReply)
    /// Ends the stream (RST_STREAM) without an answer.
    case reset
    /// Ends the connection (GOAWAY with no stream done), giving `reason` as Apple does.
    case goAway(reason: String)
    /// Takes no more requests over the connection (GOAWAY), and answers this one and those before it (RFC 9113 section 6.8).
    case drain
    /// Closes the connection without a word.
    case close
    /// Says nothing for so long, then answers as ever; nil for good.
    case delay(milliseconds: Int64?)
    /// Says nothing any more over the connection, and reads nothing: a firewall has dropped it without a word.
    case silence
}
