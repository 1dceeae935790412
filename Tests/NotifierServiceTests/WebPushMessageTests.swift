import Crypto
import Domain
import Foundation
import Proofs
import Testing

@testable import NotifierService

@Suite("Web Push messages")
struct WebPushMessageTests {
    /// The example of RFC 8291, appendix A.
    private static func vector(file: String = #filePath) throws -> [String: String] {
        let tests = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(
            contentsOf: tests.appendingPathComponent("Vectors/web-push/rfc8291-appendix-a.txt"), encoding: .utf8)
        return text.split(separator: "\n").reduce(into: [:]) { fields, line in
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces)
        }
    }

    private static func bytes(_ field: String) throws -> [UInt8] {
        let text = try #require(try vector()[field])
        return try #require(Base64URL.decode(text))
    }

    @Test("the RFC's example comes out byte for byte")
    func example() throws {
        let subscription = WebPushSubscription(
            endpoint: "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
            publicKey: try Self.bytes("receiver"), authenticationSecret: try Self.bytes("auth"))
        let plain = try #require(try Self.vector()["plain"])
        let body = try WebPushMessage.seal(
            Array(plain.utf8), for: subscription,
            ephemeral: try Self.bytes("sender-private"), salt: try Self.bytes("salt"))
        #expect(body == (try Self.bytes("body")))
        #expect(body.count == 144)
    }

    @Test("two messages share neither salt nor key")
    func fresh() throws {
        let subscription = WebPushSubscription(
            endpoint: "https://push.example/1", publicKey: try Self.bytes("receiver"),
            authenticationSecret: try Self.bytes("auth"))
        let bodies = try (0..<2).map { _ in try WebPushMessage.seal(Array("{}".utf8), for: subscription) }
        #expect(bodies[0].prefix(16) != bodies[1].prefix(16))
        #expect(bodies[0][21..<86] != bodies[1][21..<86])
        #expect(bodies.allSatisfy { Array($0[16..<21]) == [0, 0, 16, 0, 65] })
    }

    @Test("the largest message fills what every push service takes, and one byte more is refused")
    func size() throws {
        let subscription = WebPushSubscription(
            endpoint: "https://push.example/1", publicKey: try Self.bytes("receiver"),
            authenticationSecret: try Self.bytes("auth"))
        let largest = [UInt8](repeating: 0x61, count: WebPushMessage.plainBytesMax)
        #expect(try WebPushMessage.seal(largest, for: subscription).count == 4096)
        #expect(throws: WebPushMessageError.tooLarge) {
            try WebPushMessage.seal(largest + [0x61], for: subscription)
        }
    }

    @Test("keys that are none are refused", arguments: ["point", "secret"])
    func keys(wrong: String) throws {
        var (point, secret) = (try Self.bytes("receiver"), try Self.bytes("auth"))
        if wrong == "point" { point[64] ^= 1 } else { secret.removeLast() }
        let subscription = WebPushSubscription(
            endpoint: "https://push.example/1", publicKey: point, authenticationSecret: secret)
        #expect(throws: WebPushMessageError.badSubscription) { try WebPushMessage.seal([], for: subscription) }
    }

    @Test("a subscription is read from a device's address, and nothing else is")
    func address() throws {
        let json = #"{"endpoint":"https://push.example/1","p256dh":"BA","auth":"AA"}"#
        let read = WebPushSubscription(Redacted(Array(json.utf8)))
        #expect(
            read == WebPushSubscription(endpoint: "https://push.example/1", publicKey: [4], authenticationSecret: [0]))
        for text in ["", "{}", #"{"token":"a"}"#, json.replacingOccurrences(of: "BA", with: "!")] {
            #expect(WebPushSubscription(Redacted(Array(text.utf8))) == nil)
        }
    }
}
