import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Tells programs of this machine what was delivered, in place of the phones that a provider would reach: a line each, with the
/// transport, a blank and the address, and of Web Push another blank and the body in base64url, as it was sealed for the phone.
package final class DeliveryFeed: Sendable {
    /// What one that reads slowly may have waiting, in bytes: beyond it the connection is closed.
    private static let waitingBytesMax = 1024 * 1024

    private let readers = Mutex<[ObjectIdentifier: any Channel]>([:])

    package init() {}

    package var readerCount: Int { readers.withLock(\.count) }

    /// Listens at a UNIX socket, in place of one that an ended process has left. Throws what the system says of the path.
    package func start(path: String) async throws {
        _ = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: Self.waitingBytesMax / 2, high: Self.waitingBytesMax)
            )
            .childChannelInitializer { channel in
                let id = ObjectIdentifier(channel)
                self.readers.withLock { $0[id] = channel }
                channel.closeFuture.whenComplete { _ in self.readers.withLock { _ = $0.removeValue(forKey: id) } }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    }

    package func delivered(_ transport: String, _ address: String, body: [UInt8]? = nil) {
        let readers = readers.withLock { Array($0.values) }
        guard !readers.isEmpty else { return }
        let words = [transport, address] + (body.map { [Data($0).base64URL] } ?? [])
        let line = ByteBuffer(string: words.joined(separator: " ") + "\n")
        for reader in readers {
            if reader.isWritable {
                reader.writeAndFlush(line, promise: nil)
            } else {
                reader.close(promise: nil)
            }
        }
    }
}
