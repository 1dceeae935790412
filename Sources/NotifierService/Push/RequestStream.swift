import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// How a request is written to its stream of HTTP/2, beyond what AsyncHTTPClient does for requests of any size and to anybody.
enum RequestStream {
    static func prepare(_ pipeline: ChannelPipeline.SynchronousOperations) throws {
        let codec = try pipeline.handler(type: HTTP2FramePayloadToHTTP1ClientCodec.self)
        try pipeline.addHandler(WholeRequest(), position: .after(codec))
        try pipeline.addHandler(HeaderIndexing.shared, position: .first)
    }
}

/// Flushes a request when all of it is written. The client flushes head, body and end one by one, which would make a frame more of it; no
/// body is so long (4096 bytes) that it would have to wait for room on its stream.
private final class WholeRequest: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    private var isWhole = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { isWhole = true }
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) { if isWhole { context.flush() } }
}

/// Keeps out of the provider's table of headers what is another in each request (RFC 7541 section 6.2.2): it would drive out what is long
/// and the same in all, the token. APNs asks for that ("Sending notification requests to APNs").
private final class HeaderIndexing: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    static let shared = HeaderIndexing()
    private static let differing: Set = [":path", "apns-collapse-id", "apns-expiration", "apns-id", "topic", "ttl"]

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .headers(var content) = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let headers = content.headers
        content.headers = HPACKHeaders()
        content.headers.reserveCapacity(headers.count)
        for (name, value, _) in headers {
            let indexing = Self.differing.contains(name) ? HPACKIndexing.nonIndexable : .indexable
            content.headers.add(name: name, value: value, indexing: indexing)
        }
        context.write(wrapOutboundOut(.headers(content)), promise: promise)
    }
}
