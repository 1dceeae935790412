import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Tells when the other end goes away: while a request is held open nobody reads, and only the pipeline hears of it.
///
/// Sits in every connection's (for HTTP/2: every stream's) pipeline. `Sendable` because all its state is behind a lock.
final class ConnectionWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Never

    private struct State {
        var isClosed = false
        var next: UInt64 = 0
        var waiting: [UInt64: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// Calls `body` once the peer is gone, at once when it is gone already. Nil: it has been called.
    func onClose(_ body: @escaping @Sendable () -> Void) -> UInt64? {
        let id: UInt64? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.next += 1
            state.waiting[state.next] = body
            return state.next
        }
        if id == nil { body() }
        return id
    }

    func forget(_ id: UInt64?) {
        guard let id else { return }
        state.withLock { _ = $0.waiting.removeValue(forKey: id) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { close() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        close()
        context.fireChannelInactive()
    }

    private func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for body in waiting.values { body() }
    }
}

/// The connection that a request came over.
struct Connection: Sendable {
    let channel: any Channel

    /// The peer's address as text; a Unix socket has none.
    var peer: String { channel.remoteAddress?.ipAddress ?? "" }

    func watch() async -> ConnectionWatch? {
        try? await channel.pipeline.handler(type: ConnectionWatch.self).get()
    }

    /// Lets a peer that asks first send its body (`Expect: 100-continue`, RFC 9110 section 10.1.1). Called when nothing else has refused it.
    func invite(_ headers: HTTPFields) {
        guard headers[.expect]?.lowercased() == "100-continue" else { return }
        channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
    }

    /// For a reader that does not read: a finished body would wait behind what it has not taken.
    func close() { channel.close(promise: nil) }
}
