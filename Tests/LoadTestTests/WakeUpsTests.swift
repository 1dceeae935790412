import Authenticator
import Foundation
import NIOCore
import NIOPosix
import Proofs
import PushDouble
import Testing

@testable import LoadTest

@Suite("Wake-ups of a push double", .timeLimit(.minutes(1)))
struct WakeUpsTests {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("wake-ups-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    @Test("phones that listen before and after the double's end hear that it ended")
    func end() async throws {
        defer { remove() }
        let double = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { connection in
                connection.eventLoop.makeCompletedFuture {
                    connection.writeAndFlush(ByteBuffer(string: "apns early\n"))
                        .whenComplete { _ in connection.close(promise: nil) }
                }
            }
            .bind(unixDomainSocketPath: folder + "/deliveries").get()
        try await WakeUps.listening(to: .apns, folder: folder) { wakeUps in
            for await _ in wakeUps.messages(for: "before") {}
            for await _ in wakeUps.messages(for: "after") {}
        }
        try await double.close()
    }

    @Test(
        "phones subscribe at the double's push service, open what is theirs, and their subscriptions end with the run")
    func webPush() async throws {
        defer { remove() }
        let (certificate, double, feed) = (try DoubleCertificate(), WebPushDouble(now: { 0 }), DeliveryFeed())
        let server = DoubleServer(double, now: { 0 })
        let origin = "https://localhost:\(try await server.start(certificate: certificate))"
        double.setOrigin(origin)
        try await feed.start(path: folder + "/deliveries")
        try Data(certificate.pem.utf8).write(to: URL(fileURLWithPath: folder + "/roots.pem"))
        try Data("\(origin)/subscribe\n".utf8).write(to: URL(fileURLWithPath: folder + "/subscribe.url"))
        let endpoint = try await Woken.through(.webpush, folder: folder) { woken in
            let reception = try await woken.register()
            guard case .webPush(let endpoint, let point, let secret) = reception.address else {
                throw ScenarioError("no address of Web Push")
            }
            let receiver = WebPushReceiver(
                publicKey: try #require(Base64URL.decode(point)),
                authenticationSecret: try #require(Base64URL.decode(secret)))
            while feed.readerCount == 0 { await Task.yield() }
            func deliver(_ text: String, to receiver: WebPushReceiver) throws {
                feed.delivered(
                    "webpush", endpoint, body: try WebPushMessage.seal(Array(text.utf8), for: receiver))
            }
            var messages = reception.messages.makeAsyncIterator()
            try deliver(#"{"c":"challenge-1"}"#, to: receiver)
            try reception.check(try #require(await messages.next()))
            try deliver(#"{"c":"challenge-1"}"#, to: WebPushKeys().receiver)
            let stranger = try #require(await messages.next())
            #expect(throws: WebPushMessageError.notForReceiver) { try reception.check(stranger) }
            try deliver(#"{"c":""}"#, to: receiver)
            let empty = try #require(await messages.next())
            #expect(throws: ScenarioError.self) { try reception.check(empty) }
            return endpoint
        }
        // Only a subscription is asked for a server's token.
        let path = String(endpoint.dropFirst(origin.count))
        #expect(double.reply(to: DoubleRequest(method: "POST", path: path)).status == 404)
        await server.stop()
    }

    @Test("a folder of no double is named")
    func noDouble() async throws {
        defer { remove() }
        let feed = DeliveryFeed()
        try await feed.start(path: folder + "/deliveries")
        let path = folder
        await #expect {
            try await Woken.through(.webpush, folder: path) { _ in }
        } throws: {
            ($0 as? ScenarioError)?.description.hasPrefix(path + "/subscribe.url") == true
        }
    }
}
