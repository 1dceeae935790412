package import CryptoExtras
import Foundation
import Synchronization

/// FCM HTTP v1 with Google's token endpoint beside it, at `/token`. It takes whatever is written as a registration token is.
package final class FCMDouble: ProviderDouble {
    private static let messageBytesMax = 4096
    private static let assertionSecondsMax: Int64 = 3600
    private static let scope = "https://www.googleapis.com/auth/firebase.messaging"

    private let key: _RSA.Signing.PublicKey
    private let projectID: String
    private let clientEmail: String
    private let now: @Sendable () -> Int64
    private let onDelivery: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var tokenURL = ""
        var accessTokens: [String: Int64] = [:]
        var tokensGiven = 0
        var tokenAnswer: (@Sendable () -> DoubleReply?)?
        var unregistered: Set<String> = []
        var delivered = 0
    }

    /// `now` is seconds since 1970; `onDelivery` gets the registration token of each message that was taken.
    package init(
        key: _RSA.Signing.PublicKey, projectID: String, clientEmail: String, now: @escaping @Sendable () -> Int64,
        onDelivery: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.key = key
        self.projectID = projectID
        self.clientEmail = clientEmail
        self.now = now
        self.onDelivery = onDelivery
    }

    package var delivered: Int { state.withLock(\.delivered) }
    package var tokensGiven: Int { state.withLock(\.tokensGiven) }

    /// The URL of the token endpoint, which assertions must be for. Known once the port is.
    package func setTokenURL(_ url: String) { state.withLock { $0.tokenURL = url } }

    package func unregister(_ token: String) { state.withLock { _ = $0.unregistered.insert(token) } }

    /// No access token that was given is good any more.
    package func withdrawTokens() { state.withLock { $0.accessTokens = [:] } }

    /// What its token endpoint answers from now on, whoever asks; as ever where that is nil.
    package func answerTokens(_ answer: (@Sendable () -> DoubleReply?)?) { state.withLock { $0.tokenAnswer = answer } }

    package func reply(to request: DoubleRequest) -> DoubleReply {
        guard request.method == "POST" else { return Self.failure(405, "INVALID_ARGUMENT") }
        if request.path == "/token" { return token(request) }
        guard request.path == "/v1/projects/\(projectID)/messages:send" else { return DoubleReply(404) }
        guard let value = request.header("authorization"), value.hasPrefix("Bearer "),
            let end = state.withLock({ $0.accessTokens[String(value.dropFirst(7))] }), now() < end
        else { return DoubleReply(401, body: #"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#) }
        return message(request)
    }

    package static func failure(_ status: Int, _ code: String, headers: [String: String] = [:]) -> DoubleReply {
        DoubleReply(
            status, headers: headers,
            body: #"{"error":{"code":\#(status),"message":"refused","details":[{"@type":"#
                + #""type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"\#(code)"}]}}"#)
    }

    /// What is no registration token. FCM names the field.
    private static let badToken = DoubleReply(
        400,
        body: #"{"error":{"code":400,"message":"The registration token is not a valid FCM registration token","#
            + #""status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","#
            + #""fieldViolations":[{"field":"message.token","description":"Invalid registration token"}]},"#
            + #"{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}]}}"#)

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x3A).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || byte == 0x2D || byte == 0x5F
            }
    }

    package func throttled(retryAfter seconds: Int) -> DoubleReply {
        Self.exhausted(
            #"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","#
                + #""domain":"googleapis.com","metadata":{"consumer":"projects/\#(projectID)","#
                + #""quota_limit":"SendsPerMinutePerProject","service":"fcm.googleapis.com"}}"#, retryAfter: seconds)
    }

    /// One device gets too many.
    package static func deviceThrottled(_ token: String, retryAfter seconds: Int) -> DoubleReply {
        exhausted(
            #"{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"QUOTA_EXCEEDED"},"#
                + #"{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"subject":"token:\#(token)","#
                + #""description":"Device message rate exceeded"}]}"#, retryAfter: seconds)
    }

    private static func exhausted(_ details: String, retryAfter seconds: Int) -> DoubleReply {
        DoubleReply(
            429, headers: ["retry-after": "\(seconds)"],
            body: #"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[\#(details)]}}"#)
    }

    package var unavailable: DoubleReply { Self.failure(503, "UNAVAILABLE") }

    private func token(_ request: DoubleRequest) -> DoubleReply {
        if let reply = state.withLock(\.tokenAnswer)?() { return reply }
        let fields = Dictionary(
            String(decoding: request.body, as: UTF8.self).split(separator: "&").map { field in
                let parts = field.split(separator: "=", maxSplits: 1)
                return (String(parts[0]), parts.count == 2 ? String(parts[1]).removingPercentEncoding ?? "" : "")
            }, uniquingKeysWith: { first, _ in first })
        let time = now()
        guard request.header("content-type") == "application/x-www-form-urlencoded",
            fields["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer",
            let token = TokenInspection(fields["assertion"] ?? ""), token.isRS256(by: key),
            token.claims["iss"] == .text(clientEmail), token.claims["scope"] == .text(Self.scope),
            token.claims["aud"] == .text(state.withLock(\.tokenURL)),
            let issuedAt = token.claims["iat"]?.number, let end = token.claims["exp"]?.number,
            abs(issuedAt - time) <= 60, end > time, end - issuedAt <= Self.assertionSecondsMax
        else { return DoubleReply(400, body: #"{"error":"invalid_grant"}"#) }
        return state.withLock { state in
            state.tokensGiven += 1
            let text = "access-\(state.tokensGiven)"
            state.accessTokens[text] = time + 3600
            return DoubleReply(
                200, headers: ["content-type": "application/json"],
                body: #"{"access_token":"\#(text)","expires_in":3600,"token_type":"Bearer"}"#)
        }
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private func message(_ request: DoubleRequest) -> DoubleReply {
        struct Body: Decodable {
            struct Message: Decodable {
                struct Android: Decodable {
                    let priority: String
                    let ttl: String
                    let collapseKey: String
                }
                let token: String
                let data: [String: String]
                let android: Android
            }
            let message: Message
        }
        guard request.body.count <= Self.messageBytesMax,
            let message = try? Self.decoder.decode(Body.self, from: Data(request.body)).message,
            ["HIGH", "NORMAL"].contains(message.android.priority), message.android.ttl.hasSuffix("s"),
            let seconds = Double(message.android.ttl.dropLast()), (0...2_419_200).contains(seconds)
        else { return Self.failure(400, "INVALID_ARGUMENT") }
        guard Self.isToken(message.token) else { return Self.badToken }
        let number: Int? = state.withLock { state in
            if state.unregistered.contains(message.token) { return nil }
            state.delivered += 1
            return state.delivered
        }
        guard let number else { return Self.failure(404, "UNREGISTERED") }
        onDelivery(message.token)
        return DoubleReply(200, body: #"{"name":"projects/\#(projectID)/messages/\#(number)"}"#)
    }
}
