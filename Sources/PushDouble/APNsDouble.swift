package import Crypto
import Foundation
import Synchronization

/// APNs as its documentation says it answers ("Sending notification requests to APNs", "Handling notification responses"). That a token may
/// be replaced every 20 minutes at most is meant of one connection: several providers of a team each make their own.
package final class APNsDouble: ProviderDouble {
    private static let devicePath = "/3/device/"
    private static let payloadBytesMax = 4096
    private static let collapseBytesMax = 64
    private static let tokenAgeMax: Int64 = 3600
    private static let clockSkewMax: Int64 = 60
    private static let tokenUpdateSecondsMin: Int64 = 20 * 60

    private let key: P256.Signing.PublicKey
    private let keyID: String
    private let teamID: String
    private let topics: Set<String>
    private let now: @Sendable () -> Int64
    private let onDelivery: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var unregistered: Set<String> = []
        /// Of each connection.
        var tokens: [Int: KnownToken] = [:]
        var delivered = 0
    }

    /// One whose signature was checked.
    private struct KnownToken {
        let text: Substring
        let issuedAt: Int64
        let seenAt: Int64
    }

    /// `now` is seconds since 1970; `onDelivery` gets the device token of each message that was taken.
    package init(
        key: P256.Signing.PublicKey, keyID: String, teamID: String, topics: Set<String>,
        now: @escaping @Sendable () -> Int64, onDelivery: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.key = key
        self.keyID = keyID
        self.teamID = teamID
        self.topics = topics
        self.now = now
        self.onDelivery = onDelivery
    }

    package var delivered: Int { state.withLock(\.delivered) }

    /// From now on the device's application is not installed.
    package func unregister(_ deviceToken: String) {
        state.withLock { _ = $0.unregistered.insert(deviceToken) }
    }

    package func reply(to request: DoubleRequest) -> DoubleReply {
        let id = request.header("apns-id") ?? UUID().uuidString.lowercased()
        guard let (status, reason) = refusal(of: request) else {
            state.withLock { $0.delivered += 1 }
            onDelivery(String(request.path.dropFirst(Self.devicePath.count)))
            return DoubleReply(200, headers: ["apns-id": id])
        }
        let time = status == 410 ? #","timestamp":\#(now() * 1000)"# : ""
        return DoubleReply(status, headers: ["apns-id": id], body: #"{"reason":"\#(reason)"\#(time)}"#)
    }

    package func throttled(retryAfter seconds: Int) -> DoubleReply {
        DoubleReply(429, headers: ["retry-after": "\(seconds)"], body: #"{"reason":"TooManyRequests"}"#)
    }

    package var unavailable: DoubleReply { DoubleReply(503, body: #"{"reason":"ServiceUnavailable"}"#) }

    private struct Payload: Decodable {
        let aps: [String: TokenInspection.JSONValue]
    }

    private func refusal(of request: DoubleRequest) -> (Int, String)? {
        guard request.method == "POST" else { return (405, "MethodNotAllowed") }
        guard request.path.hasPrefix(Self.devicePath) else { return (404, "BadPath") }
        let device = String(request.path.dropFirst(Self.devicePath.count))
        guard !device.isEmpty else { return (400, "MissingDeviceToken") }
        if let refused = refusal(ofToken: request) { return refused }
        guard Set(request.headers.map(\.name)).count == request.headers.count else { return (400, "DuplicateHeaders") }
        if let refused = refusal(ofHeaders: request) { return refused }
        guard request.body.count <= Self.payloadBytesMax else { return (413, "PayloadTooLarge") }
        // What says nothing to APNs is as good as none.
        guard (try? JSONDecoder().decode(Payload.self, from: Data(request.body))) != nil else {
            return (400, "PayloadEmpty")
        }
        guard device.utf8.count >= 64, device.utf8.allSatisfy(Self.isHexDigit) else { return (400, "BadDeviceToken") }
        return state.withLock { $0.unregistered.contains(device) } ? (410, "Unregistered") : nil
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xDF)
    }

    private func refusal(ofHeaders request: DoubleRequest) -> (Int, String)? {
        guard let topic = request.header("apns-topic") else { return (400, "MissingTopic") }
        guard topics.contains(topic) else { return (400, "TopicDisallowed") }
        let priorities = ["alert": ["1", "5", "10"], "background": ["1", "5"]]
        guard let allowed = priorities[request.header("apns-push-type") ?? "alert"] else {
            return (400, "InvalidPushType")
        }
        guard allowed.contains(request.header("apns-priority") ?? "10") else { return (400, "BadPriority") }
        guard Int64(request.header("apns-expiration") ?? "0") != nil else { return (400, "BadExpirationDate") }
        guard (request.header("apns-collapse-id") ?? "").utf8.count <= Self.collapseBytesMax else {
            return (400, "BadCollapseId")
        }
        let id = request.header("apns-id")
        return id.map { UUID(uuidString: $0) != nil && $0 == $0.lowercased() } ?? true ? nil : (400, "BadMessageId")
    }

    package func ended(connection: Int) { state.withLock { _ = $0.tokens.removeValue(forKey: connection) } }

    private func refusal(ofToken request: DoubleRequest) -> (Int, String)? {
        guard let value = request.header("authorization"), value.hasPrefix("bearer ") else {
            return (403, "MissingProviderToken")
        }
        let (text, time) = (value.dropFirst("bearer ".count), now())
        let known = state.withLock { $0.tokens[request.connection] }
        guard let token = known?.text == text ? known : check(text, at: time) else {
            return (403, "InvalidProviderToken")
        }
        guard token.issuedAt > time - Self.tokenAgeMax else { return (403, "ExpiredProviderToken") }
        if let known, known.text != text, time - known.seenAt < Self.tokenUpdateSecondsMin {
            return (429, "TooManyProviderTokenUpdates")
        }
        if known?.text != text { state.withLock { $0.tokens[request.connection] = token } }
        return nil
    }

    private func check(_ text: Substring, at time: Int64) -> KnownToken? {
        guard let token = TokenInspection(text), token.header["kid"] == .text(keyID),
            token.claims["iss"] == .text(teamID), let issuedAt = token.claims["iat"]?.number,
            issuedAt <= time + Self.clockSkewMax, token.isES256(by: key)
        else { return nil }
        return KnownToken(text: text, issuedAt: issuedAt, seenAt: time)
    }
}
