import NIOCore
import NIOPosix
import Proofs
import Synchronization

/// Hands what `countersign-push-double` has delivered to the phones that it was for.
final class WakeUps: Sendable {
    /// By their addresses; nil when the double has ended.
    private let phones = Mutex<[String: AsyncStream<[UInt8]>.Continuation]?>([:])

    /// What is sealed for the phone with this address, empty where nothing is; of several before it looks the last one. Ends when the
    /// double does.
    func messages(for address: String) -> AsyncStream<[UInt8]> {
        let (messages, phone) = AsyncStream<[UInt8]>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let isTold = phones.withLock { phones in
            phones?[address] = phone
            return phones != nil
        }
        if !isTold { phone.finish() }
        return messages
    }

    /// Runs `work` while the double whose folder this is tells what it delivers through `provider`.
    static func listening<Value: Sendable>(
        to provider: Wake.Provider, folder: String, _ work: @Sendable (WakeUps) async throws -> Value
    ) async throws -> Value {
        let wakeUps = WakeUps()
        let path = folder + "/deliveries"
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            DeliveryReader { wakeUps.take($0, of: provider) })
                    }
                }
                .connect(unixDomainSocketPath: path).get()
        } catch {
            throw ScenarioError("\(path): no countersign-push-double answers there")
        }
        channel.closeFuture.whenComplete { _ in wakeUps.end() }
        let result: Result<Value, any Error>
        do { result = .success(try await work(wakeUps)) } catch { result = .failure(error) }
        // One that ended by itself is closed already.
        try? await channel.close()
        return try result.get()
    }

    /// A line: the transport, a blank, the address, and where the body is sealed another blank and that in base64url.
    private func take(_ line: String, of provider: Wake.Provider) {
        let words = line.split(separator: " ").map(String.init)
        guard (2...3).contains(words.count), words[0] == provider.rawValue else { return }
        // What is not base64url opens nothing, for which the phone has a word.
        let body = words.count == 3 ? Base64URL.decode(words[2]) : nil
        phones.withLock { $0?[words[1]] }?.yield(body ?? [])
    }

    private func end() {
        let ended = phones.withLock { phones in
            defer { phones = nil }
            return phones ?? [:]
        }
        for phone in ended.values { phone.finish() }
    }
}

/// Cuts what comes into lines.
private final class DeliveryReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let take: @Sendable (String) -> Void
    private var rest = ByteBuffer()

    init(_ take: @escaping @Sendable (String) -> Void) { self.take = take }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var piece = unwrapInboundIn(data)
        rest.writeBuffer(&piece)
        while let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest.readString(length: end - rest.readerIndex)
            rest.moveReaderIndex(forwardBy: 1)
            if let line { take(line) }
        }
        rest.discardReadBytes()
    }
}
