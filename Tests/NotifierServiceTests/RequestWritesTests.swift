import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP1
import NIOHTTP2
import Testing

@testable import NotifierService

@Suite("How requests are written to a provider's connection")
struct RequestWritesTests {
    @Test("what is written in one turn of the event loop is sent as one piece")
    func onePiece() throws {
        let channel = EmbeddedChannel(handler: WriteConsolidation())
        let written = ["head,", "body,", "end"].map { text in
            let promise = channel.eventLoop.makePromise(of: Void.self)
            channel.writeAndFlush(ByteBuffer(string: text), promise: promise)
            return promise.futureResult
        }
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound() == ByteBuffer(string: "head,body,end"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        for future in written { try future.wait() }
        // The next turn's are the next turn's, and what nobody flushes stays.
        channel.writeAndFlush(ByteBuffer(string: "next"), promise: nil)
        channel.embeddedEventLoop.run()
        channel.write(ByteBuffer(string: "later"), promise: nil)
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound() == ByteBuffer(string: "next"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("no piece is longer than a TLS record because of what was joined, and the order stays")
    func long() throws {
        let channel = EmbeddedChannel(handler: WriteConsolidation())
        let parts = [10_000, 6_000, 1_000, 20_000, 1].enumerated().map { number, bytes in
            ByteBuffer(repeating: UInt8(number), count: bytes)
        }
        for part in parts { channel.writeAndFlush(part, promise: nil) }
        channel.embeddedEventLoop.run()
        var sent: [ByteBuffer] = []
        while let piece = try channel.readOutbound(as: ByteBuffer.self) { sent.append(piece) }
        #expect(sent.map(\.readableBytes) == [16_000, 1_000, 20_000, 1])
        #expect(sent.flatMap { Array($0.readableBytesView) } == parts.flatMap { Array($0.readableBytesView) })
        _ = try channel.finish()
    }

    @Test("what was flushed in the turn in which the connection is closed is sent before")
    func closed() throws {
        let channel = EmbeddedChannel(handler: WriteConsolidation())
        channel.writeAndFlush(ByteBuffer(string: "goodbye"), promise: nil)
        channel.close(promise: nil)
        #expect(try channel.readOutbound() == ByteBuffer(string: "goodbye"))
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test("a request is two frames, and what is another in each one stays out of the provider's table of headers")
    func frames() throws {
        let channel = EmbeddedChannel(handler: HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .https))
        try RequestStream.prepare(channel.pipeline.syncOperations)
        let headers: HTTPHeaders = [
            "host": "api.push.example", "authorization": "bearer t", "apns-topic": "org.example.app", "apns-id": "i",
            "apns-collapse-id": "c", "apns-expiration": "1750000060",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/3/device/0a", headers: headers)
        channel.writeAndFlush(HTTPClientRequestPart.head(head), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: "{}"))), promise: nil)
        #expect(try channel.readOutbound(as: HTTP2Frame.FramePayload.self) == nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        guard case .headers(let first)? = try channel.readOutbound(as: HTTP2Frame.FramePayload.self),
            case .data(let second)? = try channel.readOutbound(as: HTTP2Frame.FramePayload.self)
        else {
            Issue.record("a request is HEADERS and DATA")
            return
        }
        #expect(!first.endStream && second.endStream)
        #expect(second.data == .byteBuffer(ByteBuffer(string: "{}")))
        #expect(try channel.readOutbound(as: HTTP2Frame.FramePayload.self) == nil)
        let kept = first.headers.filter { $0.indexable == .indexable }.map(\.name)
        #expect(Set(kept) == [":method", ":scheme", ":authority", "authorization", "apns-topic"])
        let literal = first.headers.filter { $0.indexable == .nonIndexable }.map(\.name)
        #expect(Set(literal) == [":path", "apns-id", "apns-collapse-id", "apns-expiration"])
        #expect(first.headers.first(name: ":path") == "/3/device/0a")
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
