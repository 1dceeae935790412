import Crypto
import CryptoExtras
import Domain
import Foundation
import Proofs
import Testing

@testable import NotifierService

/// A token taken apart: header and claims as JSON, and what was signed.
struct DecodedToken {
    let header: [String: Any]
    let claims: [String: Any]
    let signed: Data
    let signature: Data

    init(_ text: some StringProtocol) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        try #require(parts.count == 3)
        let bytes = try parts.map { Data(try #require(Base64URL.decode($0))) }
        header = try #require(try JSONSerialization.jsonObject(with: bytes[0]) as? [String: Any])
        claims = try #require(try JSONSerialization.jsonObject(with: bytes[1]) as? [String: Any])
        signed = Data("\(parts[0]).\(parts[1])".utf8)
        signature = bytes[2]
    }

    func isSigned(by key: P256.Signing.PublicKey) throws -> Bool {
        key.isValidSignature(try P256.Signing.ECDSASignature(rawRepresentation: signature), for: signed)
    }
}

@Suite("Tokens by which providers know us")
struct ProviderTokenTests {
    private static let start = Timestamp(seconds: 1_750_000_000)
    private static let key = P256.Signing.PrivateKey()

    private static func apnsKey() throws -> APNsSigningKey {
        try #require(APNsSigningKey(keyID: "KEY1234567", teamID: "TEAM123456", pem: Redacted(key.pemRepresentation)))
    }

    private static func vapidKey() throws -> VAPIDKey {
        try #require(VAPIDKey(subject: "mailto:operator@example.org", pem: Redacted(key.pemRepresentation)))
    }

    @Test("APNs gets key, team and the time as a number, signed with ES256")
    func apns() throws {
        let token = try DecodedToken(Self.apnsKey().token(issuedAt: Self.start))
        #expect(token.header as? [String: String] == ["alg": "ES256", "kid": "KEY1234567"])
        #expect(token.claims["iss"] as? String == "TEAM123456")
        #expect(token.claims["iat"] as? Int == 1_750_000_000)
        #expect(token.claims.count == 2)
        #expect(try token.isSigned(by: Self.key.publicKey))
    }

    @Test("an APNs token is used for forty minutes and then made anew")
    func apnsAge() throws {
        var cache = APNsTokenCache(try Self.apnsKey())
        let first = try cache.token(now: Self.start)
        #expect(try cache.token(now: Self.start + .seconds(2399)) == first)
        let second = try cache.token(now: Self.start + .seconds(2400))
        #expect(second != first)
        // The clock has been set back: APNs refuses what is of the future.
        #expect(try cache.token(now: Self.start + .seconds(2399)) != second)
    }

    @Test("a refused APNs token is replaced once it is twenty minutes old, and once for all who learn of it")
    func apnsRefused() throws {
        var cache = APNsTokenCache(try Self.apnsKey())
        let first = try cache.token(now: Self.start)
        #expect(try cache.token(insteadOf: first, now: Self.start + .seconds(1199)) == nil)
        let second = try cache.token(insteadOf: first, now: Self.start + .seconds(1200))
        #expect(second != nil && second != first)
        #expect(try cache.token(insteadOf: first, now: Self.start + .seconds(1201)) == second)
        #expect(try cache.token(now: Self.start + .seconds(1201)) == second)
    }

    @Test("an APNs token that was made too soon gives way to the one before, until another may be made")
    func apnsTooSoon() throws {
        var cache = APNsTokenCache(try Self.apnsKey())
        let first = try cache.token(now: Self.start)
        // The clock is set back by a minute, which makes the first one of the future.
        let second = try cache.token(now: Self.start - .seconds(60))
        #expect(second != first)
        cache.keepFormer(insteadOf: first, now: Self.start)
        #expect(try cache.token(now: Self.start) == second)
        cache.keepFormer(insteadOf: second, now: Self.start)
        // Many may be told.
        cache.keepFormer(insteadOf: second, now: Self.start)
        for seconds in [0, 1199, 2399] as [Int64] {
            #expect(try cache.token(now: Self.start + .seconds(seconds)) == first, "\(seconds)")
        }
        let third = try cache.token(now: Self.start + .seconds(2400))
        #expect(third != first && third != second)
    }

    @Test("an APNs token that is used on in the place of a later one is so for fifty-five minutes of its life")
    func apnsKeptLong() throws {
        var cache = APNsTokenCache(try Self.apnsKey())
        let first = try cache.token(now: Self.start)
        let renewedAt = Self.start + .seconds(2400)
        let second = try cache.token(now: renewedAt)
        cache.keepFormer(insteadOf: second, now: renewedAt)
        #expect(try cache.token(now: renewedAt + .seconds(899)) == first)
        let third = try cache.token(now: renewedAt + .seconds(900))
        #expect(third != first && third != second)
        // There is none that is young enough.
        cache.keepFormer(insteadOf: third, now: renewedAt + .seconds(900))
        #expect(try cache.token(now: renewedAt + .seconds(901)) == third)
    }

    @Test("a push service gets its own origin as audience, and our key")
    func vapid() throws {
        var cache = VAPIDTokenCache(try Self.vapidKey())
        let value = try cache.authorization(audience: "https://push.example", now: Self.start)
        let parts = value.dropFirst("vapid t=".count).split(separator: ",")
        let token = try DecodedToken(parts[0])
        #expect(value.hasPrefix("vapid t="))
        #expect(parts[1] == " k=" + Base64URL.encode(Array(Self.key.publicKey.x963Representation)))
        #expect(token.header as? [String: String] == ["alg": "ES256", "typ": "JWT"])
        #expect(token.claims["aud"] as? String == "https://push.example")
        #expect(token.claims["exp"] as? Int == 1_750_000_000 + 12 * 3600)
        #expect(token.claims["sub"] as? String == "mailto:operator@example.org")
        #expect(try token.isSigned(by: Self.key.publicKey))
        #expect(try Self.vapidKey().publicKey.count == 87)
    }

    @Test("a VAPID token is kept for each origin until an hour before its end")
    func vapidAge() throws {
        var cache = VAPIDTokenCache(try Self.vapidKey())
        let first = try cache.authorization(audience: "https://a.example", now: Self.start)
        #expect(try cache.authorization(audience: "https://b.example", now: Self.start) != first)
        #expect(try cache.authorization(audience: "https://a.example", now: Self.start + .seconds(39_599)) == first)
        #expect(try cache.authorization(audience: "https://a.example", now: Self.start + .seconds(39_600)) != first)
    }

    @Test("a VAPID token of a clock that has been set back far is made anew, so that none ends more than a day ahead")
    func vapidSetBack() throws {
        var cache = VAPIDTokenCache(try Self.vapidKey())
        func authorization(_ time: Timestamp) throws -> String {
            try cache.authorization(audience: "https://a.example", now: time)
        }
        let first = try authorization(Self.start)
        #expect(try authorization(Self.start - .seconds(60)) == first)
        let setBack = Self.start - .seconds(13 * 3600)
        let token = try DecodedToken(try authorization(setBack).dropFirst("vapid t=".count).split(separator: ",")[0])
        #expect(token.claims["exp"] as? Int == 1_750_000_000 - 3600)
    }

    @Test("a VAPID subject is a mailto or https URL")
    func subject() {
        let pem = Redacted(Self.key.pemRepresentation)
        #expect(VAPIDKey(subject: "https://example.org/contact", pem: pem) != nil)
        #expect(VAPIDKey(subject: "operator@example.org", pem: pem) == nil)
        #expect(VAPIDKey(subject: "mailto:operator@example.org", pem: Redacted("no key")) == nil)
    }

    @Test("Google gets the assertion of a service account, signed with RS256")
    func fcm() throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let account = try #require(FCMServiceAccount(file: try serviceAccountFile(key)))
        let token = try DecodedToken(account.assertion(issuedAt: Self.start))
        #expect(token.header as? [String: String] == ["alg": "RS256", "kid": "key-1", "typ": "JWT"])
        #expect(token.claims["iss"] as? String == "push@project-1.example")
        #expect(token.claims["scope"] as? String == "https://www.googleapis.com/auth/firebase.messaging")
        #expect(token.claims["aud"] as? String == "https://oauth.example/token")
        #expect(token.claims["iat"] as? Int == 1_750_000_000)
        #expect(token.claims["exp"] as? Int == 1_750_003_600)
        let signature = _RSA.Signing.RSASignature(rawRepresentation: token.signature)
        #expect(key.publicKey.isValidSignature(signature, for: token.signed, padding: .insecurePKCS1v1_5))
    }

    @Test("what is no service account's file is refused")
    func fcmFile() throws {
        let file = String(
            decoding: try serviceAccountFile(_RSA.Signing.PrivateKey(keySize: .bits2048)).value, as: UTF8.self)
        for (from, to) in [("service_account", "authorized_user"), ("BEGIN", "END"), ("https://", "http://")] {
            let wrong = file.replacingOccurrences(of: from, with: to)
            #expect(FCMServiceAccount(file: Redacted(Array(wrong.utf8))) == nil)
        }
    }
}

/// A service account's file as Google writes it.
func serviceAccountFile(
    _ key: _RSA.Signing.PrivateKey, tokenURL: String = "https://oauth.example/token"
) throws -> Redacted<[UInt8]> {
    let members = [
        "type": "service_account", "project_id": "project-1", "private_key_id": "key-1",
        "private_key": key.pemRepresentation, "client_email": "push@project-1.example", "token_uri": tokenURL,
    ]
    return Redacted(Array(try JSONSerialization.data(withJSONObject: members, options: .withoutEscapingSlashes)))
}
