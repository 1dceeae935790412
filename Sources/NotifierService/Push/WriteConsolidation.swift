import NIOCore

/// Gives TLS in one piece what is written to a provider's connection in one turn of its event loop.
///
/// A request is written as several frames, and many requests begin in the same turn. Each frame would be a TLS record, and each flush a
/// system call and a TCP segment, for the provider as for us.
final class WriteConsolidation: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// As much as a TLS record holds (RFC 8446 section 5.1). What is more is not kept back.
    private static let pieceBytesMax = 16 * 1024

    private var piece = ByteBuffer()
    /// Of everything that is in the piece.
    private var promise: EventLoopPromise<Void>?
    private var isFlushDue = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var bytes = unwrapOutboundIn(data)
        if piece.readableBytes + bytes.readableBytes > Self.pieceBytesMax { passOn(context) }
        piece.writeBuffer(&bytes)
        self.promise.setOrCascade(to: promise)
    }

    func flush(context: ChannelHandlerContext) {
        guard !isFlushDue else { return }
        isFlushDue = true
        // After everything else that is to be done in this turn.
        context.eventLoop.assumeIsolated().execute { self.flushIfDue(context) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // What was flushed before is sent before; what was not has the channel's own fate.
        passOn(context)
        flushIfDue(context)
        context.close(mode: mode, promise: promise)
    }

    /// The connection is gone.
    func handlerRemoved(context: ChannelHandlerContext) {
        isFlushDue = false
        promise.take()?.fail(ChannelError.ioOnClosedChannel)
    }

    private func flushIfDue(_ context: ChannelHandlerContext) {
        guard isFlushDue else { return }
        isFlushDue = false
        passOn(context)
        context.flush()
    }

    private func passOn(_ context: ChannelHandlerContext) {
        guard piece.readableBytes > 0 || promise != nil else { return }
        context.write(wrapOutboundOut(piece), promise: promise.take())
        piece.clear()
    }
}
