import NIOCore
import Synchronization

/// Counts how often something comes from a provider, be it what it may. A connection that a firewall has dropped without a word is not
/// closed: all that is seen of it is that nothing comes any more.
final class Hearing: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let times = Atomic(0)

    var count: Int { times.load(ordering: .relaxed) }

    func channelReadComplete(context: ChannelHandlerContext) {
        times.add(1, ordering: .relaxed)
        context.fireChannelReadComplete()
    }
}
