import Crypto
import Testing

@testable import Proofs

@Suite("Web Push messages")
struct WebPushMessageTests {
    private let receiver: WebPushReceiver
    /// The example of RFC 8291, appendix A.
    private let example: Vector

    init() throws {
        example = try #require(Vector.all("web-push").first)
        receiver = WebPushReceiver(
            publicKey: try example.bytes("receiver"), authenticationSecret: try example.bytes("auth"))
    }

    @Test("the RFC's example comes out byte for byte, and is opened")
    func vector() throws {
        let plain = Array(try example.text("plain").utf8)
        let body = try WebPushMessage.seal(
            plain, for: receiver,
            ephemeral: P256.KeyAgreement.PrivateKey(rawRepresentation: example.bytes("sender-private")),
            salt: example.bytes("salt"))
        #expect(body == (try example.bytes("body")))
        #expect(body.count == 144)
        let keys = WebPushKeys(
            key: try P256.KeyAgreement.PrivateKey(rawRepresentation: example.bytes("receiver-private")),
            authenticationSecret: receiver.authenticationSecret)
        #expect(keys.receiver == receiver)
        #expect(try keys.open(body) == plain)
    }

    @Test("two messages share neither salt nor key")
    func fresh() throws {
        let bodies = try (0..<2).map { _ in try WebPushMessage.seal(Array("{}".utf8), for: receiver) }
        #expect(bodies[0].prefix(16) != bodies[1].prefix(16))
        #expect(bodies[0][21..<86] != bodies[1][21..<86])
        #expect(bodies.allSatisfy { Array($0[16..<21]) == [0, 0, 16, 0, 65] })
    }

    @Test("the largest message fills what every push service takes, and one byte more is refused")
    func size() throws {
        let keys = WebPushKeys()
        let largest = [UInt8](repeating: 0x61, count: WebPushMessage.plainBytesMax)
        let sealed = try WebPushMessage.seal(largest, for: keys.receiver)
        #expect(sealed.count == 4096)
        #expect(try keys.open(sealed) == largest)
        #expect(throws: WebPushMessageError.tooLarge) {
            try WebPushMessage.seal(largest + [0x61], for: keys.receiver)
        }
    }

    @Test("keys that are none are refused", arguments: ["point", "secret"])
    func keys(wrong: String) throws {
        var (point, secret) = (receiver.publicKey, receiver.authenticationSecret)
        if wrong == "point" { point[64] ^= 1 } else { secret.removeLast() }
        let other = WebPushReceiver(publicKey: point, authenticationSecret: secret)
        #expect(throws: WebPushMessageError.badReceiver) { try WebPushMessage.seal([], for: other) }
    }

    @Test("what was sealed for another, or was changed or cut anywhere, is not opened")
    func refused() throws {
        let keys = WebPushKeys()
        let sealed = try WebPushMessage.seal([1, 2, 0], for: keys.receiver)
        #expect(try keys.open(sealed) == [1, 2, 0])
        #expect(throws: WebPushMessageError.notForReceiver) { try WebPushKeys().open(sealed) }
        // The size of a record is a bound that nothing authenticates.
        for index in sealed.indices where !(16..<20).contains(index) {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: WebPushMessageError.notForReceiver, "byte \(index)") { try keys.open(changed) }
        }
        for count in sealed.indices {
            #expect(throws: WebPushMessageError.notForReceiver, "\(count) bytes") {
                try keys.open(Array(sealed.prefix(count)))
            }
        }
        var several = sealed
        several.replaceSubrange(16..<20, with: [0, 0, 0, 18])
        #expect(throws: WebPushMessageError.notForReceiver) { try keys.open(several) }
    }
}
