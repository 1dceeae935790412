import NIOCore
import NIOHTTP2

/// Ends a connection of HTTP/2 on which nothing is heard while answers are waited for: a firewall may have dropped it without a word. It
/// is asked for a sign of life before (PING, RFC 9113 section 6.7), which a provider gives however slow its answers are.
///
/// It stands in front of TLS: one that is dead would be waited for to say its farewell.
final class SilenceWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let pause: TimeAmount
    private let isAwaited: @Sendable () -> Bool
    private var silence = ConnectionSilence()
    private var next: Scheduled<Void>?

    /// Looks after every `pause`: one that is dead is ended after two of them, or three.
    init(every pause: TimeAmount, isAwaited: @escaping @Sendable () -> Bool) {
        self.pause = pause
        self.isAwaited = isAwaited
    }

    func handlerAdded(context: ChannelHandlerContext) { lookLater(context) }
    func handlerRemoved(context: ChannelHandlerContext) { next?.cancel() }

    func channelReadComplete(context: ChannelHandlerContext) {
        silence.heard()
        context.fireChannelReadComplete()
    }

    private func lookLater(_ context: ChannelHandlerContext) {
        next = context.eventLoop.assumeIsolated().scheduleTask(in: pause) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        switch silence.look(isAwaited: isAwaited()) {
        case .nothing: break
        case .ask:
            let ping = HTTP2Frame.FramePayload.ping(HTTP2PingData(withInteger: 0), ack: false)
            context.channel.writeAndFlush(HTTP2Frame(streamID: .rootStream, payload: ping), promise: nil)
        case .end: return context.close(promise: nil)
        }
        lookLater(context)
    }
}
