import DeviceAPI
import HTTPTypes
import NIOCore
import Synchronization

/// What a handler answers: Hummingbird's response is made from it in one place.
struct Reply: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// An event stream: what is put into the mailbox is sent until it ends.
        case stream(StreamMailbox, StreamWork)
    }

    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: Body

    init(_ status: HTTPResponse.Status, headers: HTTPFields = [:], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    static func json<Body: Encodable>(_ status: HTTPResponse.Status, _ body: Body, headers: HTTPFields = [:]) throws
        -> Reply
    {
        var headers = headers
        headers[.contentType] = APIMedia.json
        return Reply(status, headers: headers, body: .bytes(try JSONWriter.bytes(of: body)))
    }

    static func document(_ bytes: [UInt8], type: String = APIMedia.json, headers: HTTPFields = [:]) -> Reply {
        var headers = headers
        headers[.contentType] = type
        return Reply(.ok, headers: headers, body: .bytes(bytes))
    }

    static func events(_ mailbox: StreamMailbox, _ work: StreamWork) -> Reply {
        // X-Accel-Buffering: proxies in front must pass each event on at once.
        Reply(
            .ok, headers: [.contentType: APIMedia.events, .proxyBuffering: "no"],
            body: .stream(mailbox, work))
    }

    static let noContent = Reply(.noContent)
}

/// What an event stream needs beside the writing of it.
struct StreamWork: Sendable {
    /// Runs beside the writing and is cancelled when that ends. It may return earlier: where others fill the mailbox nothing of it need
    /// stay for as long as the stream does.
    let feed: @Sendable () async -> Void
    let places: StreamPlaces
}

/// What a stream holds while it is open. It is given back once: when the stream has ended or, where its reader went away before it could
/// begin, with the reply that nobody writes.
final class StreamPlaces: Sendable {
    private let isClosed = Atomic(false)
    private let giveBack: @Sendable () -> Void

    init(giveBack: @escaping @Sendable () -> Void) { self.giveBack = giveBack }

    deinit { close() }

    func close() {
        if !isClosed.exchange(true, ordering: .acquiringAndReleasing) { giveBack() }
    }
}
