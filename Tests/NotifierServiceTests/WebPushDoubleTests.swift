import Crypto
import Domain
import Proofs
import PushDouble
import Testing

@testable import NotifierService

@Suite("The double of a push service refuses what push services refuse")
struct WebPushDoubleTests {
    private static let time: Int64 = 1_750_000_000
    private static let origin = "https://push.example"
    private let key = P256.Signing.PrivateKey()
    private let double: WebPushDouble

    /// What a token says, as far as it may be wrong.
    private struct Claims: Encodable {
        var aud = WebPushDoubleTests.origin
        var exp = WebPushDoubleTests.time + 3600
        var sub: String? = "mailto:operator@example.org"
    }

    init() {
        double = WebPushDouble(now: { Self.time })
        double.setOrigin(Self.origin)
    }

    private func authorization(
        by other: P256.Signing.PrivateKey? = nil, _ change: (inout Claims) -> Void = { _ in }
    ) throws -> String {
        struct Header: Encodable { let alg = "ES256" }
        var claims = Claims()
        change(&claims)
        let token = try ProviderToken.es256(Header(), claims, key: other ?? key)
        return "vapid t=\(token), k=\(try vapid().publicKey)"
    }

    private func vapid() throws -> VAPIDKey {
        try #require(VAPIDKey(subject: "mailto:operator@example.org", pem: Redacted(key.pemRepresentation)))
    }

    /// What a message with these headers is answered; nil for one that is not there.
    private func status(
        at path: String, _ authorization: String?, _ headers: [String: String?] = [:], body: [UInt8] = []
    ) -> Int {
        var all: [String: String?] = [
            "authorization": authorization, "ttl": "60", "urgency": "high", "topic": "abcd",
            "content-encoding": "aes128gcm",
        ]
        all.merge(headers) { _, changed in changed }
        let sent = all.compactMap { name, value in value.map { (name: name, value: $0) } }
        return double.reply(to: DoubleRequest(method: "POST", path: path, headers: sent, body: body)).status
    }

    @Test("without credentials it is 401, and 403 with what is no token for this origin (RFC 8292 section 4.2)")
    func credentials() throws {
        let wrong = [
            "vapid ", "vapid  ", "vapid t=a.b.c, k=BA", try authorization(by: P256.Signing.PrivateKey()),
            try authorization { $0.aud = "https://push.example:8443" }, try authorization { $0.exp = Self.time },
            try authorization { $0.exp = Self.time + 24 * 3600 + 1 }, try authorization { $0.sub = nil },
            try authorization { $0.sub = "operator" },
        ]
        let longest = try authorization { $0.exp = Self.time + 24 * 3600 }
        for path in [double.subscribe().path, double.subscribe(serverKey: try vapid().publicKey).path] {
            #expect(status(at: path, nil) == 401)
            #expect(status(at: path, "Bearer a") == 401)
            for credentials in wrong { #expect(status(at: path, credentials) == 403, "\(credentials)") }
            // It is known by then: what is wrong is that nothing is sealed.
            #expect(status(at: path, longest) == 400)
        }
        #expect(status(at: double.subscribe(serverKey: "another").path, longest) == 403)
    }

    @Test("a message has a TTL, an urgency, a topic of 32 characters at most, and is sealed, in 4096 bytes")
    func messages() throws {
        let (credentials, browser) = (try authorization(), double.subscribe())
        let receiver = WebPushReceiver(
            publicKey: browser.publicKey, authenticationSecret: browser.authenticationSecret)
        let sealed = try WebPushMessage.seal(Array("hello".utf8), for: receiver)
        func answer(_ headers: [String: String?], body: [UInt8]) -> Int {
            status(at: browser.path, credentials, headers, body: body)
        }
        #expect(answer([:], body: sealed) == 201)
        #expect(answer(["ttl": "0", "topic": String(repeating: "t", count: 32)], body: sealed) == 201)
        #expect(answer(["urgency": nil, "topic": nil], body: sealed) == 201)
        let refused: [[String: String?]] = [
            ["ttl": nil], ["ttl": "-1"], ["ttl": "soon"], ["urgency": "now"], ["topic": ""],
            ["topic": String(repeating: "t", count: 36)], ["topic": "a b"], ["content-encoding": "aesgcm"],
            ["content-encoding": nil],
        ]
        for headers in refused { #expect(answer(headers, body: sealed) == 400, "\(headers)") }
        #expect(answer([:], body: Array(repeating: 0, count: 4097)) == 413)
        #expect(answer([:], body: Array(repeating: 0, count: 4096)) == 400)
        #expect(double.opened == ["hello", "hello", "hello"])
    }
}
