import CryptoExtras
import Domain
import PushDouble
import Testing

@testable import NotifierService

@Suite("The double of FCM refuses what FCM and Google's token endpoint refuse")
struct FCMDoubleTests {
    private static let time: Int64 = 1_750_000_000
    private static let tokenURL = "https://oauth.example/token"
    private let key: _RSA.Signing.PrivateKey
    private let double: FCMDouble

    /// What an assertion says, as far as it may be wrong.
    private struct Claims: Encodable {
        var iss = "push@project-1.example"
        var scope = "https://www.googleapis.com/auth/firebase.messaging"
        var aud = FCMDoubleTests.tokenURL
        var iat = FCMDoubleTests.time
        var exp = FCMDoubleTests.time + 3600
    }

    init() throws {
        key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        double = FCMDouble(
            key: key.publicKey, projectID: "project-1", clientEmail: "push@project-1.example", now: { Self.time })
        double.setTokenURL(Self.tokenURL)
    }

    private func tokenReply(
        by other: _RSA.Signing.PrivateKey? = nil, grant: String = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        type: String = "application/x-www-form-urlencoded", _ change: (inout Claims) -> Void = { _ in }
    ) throws -> DoubleReply {
        struct Header: Encodable { let alg = "RS256" }
        var claims = Claims()
        change(&claims)
        let assertion = try ProviderToken.rs256(Header(), claims, key: other ?? key)
        return double.reply(
            to: DoubleRequest(
                method: "POST", path: "/token", headers: [(name: "content-type", value: type)],
                body: Array("grant_type=\(grant)&assertion=\(assertion)".utf8)))
    }

    @Test("an assertion is the account's, for the token endpoint, for messaging, and for an hour at most")
    func assertions() throws {
        #expect(try tokenReply().status == 200)
        let stranger = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let replies = [
            try tokenReply(by: stranger), try tokenReply(grant: "password"), try tokenReply(type: "application/json"),
            try tokenReply { $0.iss = "other@project-1.example" }, try tokenReply { $0.aud = "https://oauth.example" },
            try tokenReply { $0.scope = "https://www.googleapis.com/auth/cloud-platform" },
            try tokenReply { $0.exp = Self.time + 3601 }, try tokenReply { $0.exp = Self.time },
            try tokenReply { claims in
                claims.iat = Self.time - 61
                claims.exp = claims.iat + 3600
            },
            try tokenReply { claims in
                claims.iat = Self.time + 61
                claims.exp = claims.iat + 3600
            },
        ]
        for reply in replies { #expect(reply == DoubleReply(400, body: #"{"error":"invalid_grant"}"#)) }
        #expect(double.tokensGiven == 1)
    }

    private func reply(_ body: String, authorization: String = "Bearer access-1", project: String = "project-1")
        -> DoubleReply
    {
        double.reply(
            to: DoubleRequest(
                method: "POST", path: "/v1/projects/\(project)/messages:send",
                headers: [(name: "authorization", value: authorization)], body: Array(body.utf8)))
    }

    private static func message(_ android: String, data: String = #"{"c":"1"}"#, token: String = "phone-1") -> String {
        #"{"message":{"token":"\#(token)","data":\#(data),"android":\#(android)}}"#
    }

    private static let android = #"{"priority":"HIGH","ttl":"60s","collapse_key":"k"}"#

    @Test("a message has a priority, a time of four weeks at most and texts alone, in 4096 bytes")
    func messages() throws {
        #expect(try tokenReply().status == 200)
        #expect(reply(Self.message(Self.android)).status == 200)
        let invalid = FCMDouble.failure(400, "INVALID_ARGUMENT")
        let refused = [
            "", "{}", Self.message(#"{"priority":"LOUD","ttl":"60s","collapse_key":"k"}"#),
            Self.message(#"{"priority":"HIGH","ttl":"60","collapse_key":"k"}"#),
            Self.message(#"{"priority":"HIGH","ttl":"-1s","collapse_key":"k"}"#),
            Self.message(#"{"priority":"HIGH","ttl":"2419201s","collapse_key":"k"}"#),
            Self.message(Self.android, data: #"{"c":1}"#),
            Self.message(Self.android, data: #"{"c":"\#(String(repeating: "c", count: 4096))"}"#),
        ]
        for body in refused { #expect(reply(body) == invalid, "\(body.prefix(80))") }
        #expect(double.delivered == 1)
    }

    @Test("who has no access token, and who asks for another project, gets no further")
    func credentials() throws {
        #expect(try tokenReply().status == 200)
        let message = Self.message(Self.android)
        for authorization in ["Bearer access-2", "bearer access-1", ""] {
            #expect(reply(message, authorization: authorization).status == 401)
        }
        #expect(reply(message, project: "project-2").status == 404)
        double.withdrawTokens()
        #expect(reply(message).status == 401)
        #expect(double.delivered == 0)
    }
}
