import Domain
import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes
import ServiceKit
import Wire

/// Gives the server library's own 400, to what is not HTTP, the form of every other refusal: a problem document with a request id, logged and counted.
///
/// Sits in each connection's pipeline, behind the library. Its bare replies are the only ones without `X-Request-Id`.
final class UnreadableRequests: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let edge: Edge
    private let metrics: GatewayMetrics

    init(edge: Edge, metrics: GatewayMetrics) {
        self.edge = edge
        self.metrics = metrics
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(let head) = Self.unwrapOutboundIn(data), head.status == .badRequest,
            head.headerFields[.requestID] == nil, let (refusal, body) = refusal(to: context.remoteAddress)
        else { return context.write(data, promise: promise) }
        context.write(Self.wrapOutboundOut(.head(refusal)), promise: promise)
        context.write(Self.wrapOutboundOut(.body(body)), promise: nil)
    }

    private func refusal(to peer: SocketAddress?) -> (head: HTTPResponse, body: ByteBuffer)? {
        let id = Domain.RequestID.make(at: edge.now())
        let error = ServiceError(.malformed, "this is not HTTP/1.1, or its header is too long")
        guard
            let reply = try? Problems.reply(to: error, at: .elsewhere, requestID: id, challenge: nil),
            case .bytes(let bytes) = reply.body
        else { return nil }
        metrics.began()
        metrics.answered("other", "unreadable", reply.status.code, .zero, hasWaited: false)
        edge.logger.info(
            "request unreadable",
            metadata: [
                "requestId": "\(id)", "status": "\(reply.status.code)", "address": "\(peer?.ipAddress ?? "")",
            ])
        var head = HTTPResponse(status: reply.status, headerFields: reply.headers)
        head.headerFields[.contentLength] = String(bytes.count)
        head.headerFields[.connection] = "close"
        GatewayResponder.complete(&head.headerFields, id)
        return (head, ByteBuffer(bytes: bytes))
    }
}
