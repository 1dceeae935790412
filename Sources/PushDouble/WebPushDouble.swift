import Crypto
import Foundation
import Synchronization

/// A push service: it makes subscriptions for whoever asks (RFC 8030 section 4) and takes messages for them (section 5).
///
/// What it takes is told to `onDelivery` in place of the server push by which a browser would get it (section 6). It has browsers of its
/// own too, of `subscribe()`, which open what they get.
package final class WebPushDouble: ProviderDouble {
    package static let subscribePath = "/subscribe"
    private static let optionsType = "application/webpush-options+json"
    private static let subscriptionPath = "/subscription/"
    private static let pushPath = "/push/"
    private static let messageBytesMax = 4096
    private static let topicCharactersMax = 32
    /// Kept to be looked at; the rest is counted.
    private static let openedMax = 1000
    private static let tokenSecondsMax: Int64 = 24 * 3600

    private struct Subscription {
        /// The only server that may send, as its public key in base64url; nil for any (RFC 8292 section 4).
        let serverKey: String?
        /// Nil where the browser is elsewhere.
        let browser: WebPushBrowser?
        var isGone = false
    }

    private struct State {
        var origin = ""
        /// By the paths of their push resources.
        var subscriptions: [String: Subscription] = [:]
        /// Push resources by the paths of the resources of their subscriptions.
        var pushResources: [String: String] = [:]
        var opened: [String] = []
        var delivered = 0
    }

    private let now: @Sendable () -> Int64
    private let subscriptionsMax: Int
    private let onDelivery: @Sendable (String, [UInt8]) -> Void
    private let state = Mutex(State())

    /// `now` is seconds since 1970. Beyond `subscriptionsMax` nobody gets another one. `onDelivery` gets the push resource's URL and the
    /// body, as it was sealed, of each message that was taken.
    package init(
        now: @escaping @Sendable () -> Int64, subscriptionsMax: Int = 100_000,
        onDelivery: @escaping @Sendable (String, [UInt8]) -> Void = { _, _ in }
    ) {
        self.now = now
        self.subscriptionsMax = subscriptionsMax
        self.onDelivery = onDelivery
    }

    /// What the browsers of its own read, as text: the first ones.
    package var opened: [String] { state.withLock(\.opened) }
    package var delivered: Int { state.withLock(\.delivered) }

    /// Where it answers, which tokens must be for. Known once the port is.
    package func setOrigin(_ origin: String) { state.withLock { $0.origin = origin } }

    /// A browser of its own. `serverKey` is the only server that may send to it, as its public key in base64url; nil for any.
    package func subscribe(serverKey: String? = nil) -> WebPushBrowser {
        let browser = WebPushBrowser(path: Self.pushPath + Self.capability())
        state.withLock { $0.subscriptions[browser.path] = Subscription(serverKey: serverKey, browser: browser) }
        return browser
    }

    package func unsubscribe(_ browser: WebPushBrowser) {
        state.withLock { $0.subscriptions[browser.path]?.isGone = true }
    }

    package func reply(to request: DoubleRequest) -> DoubleReply {
        switch (request.method, request.path) {
        case ("POST", Self.subscribePath): subscription(request)
        case ("POST", _): message(request)
        case ("DELETE", _): removal(request.path)
        default: DoubleReply(405, headers: ["allow": "POST, DELETE"])
        }
    }

    package func throttled(retryAfter seconds: Int) -> DoubleReply {
        DoubleReply(429, headers: ["retry-after": "\(seconds)"], body: #"{"code":429,"errno":200}"#)
    }

    package var unavailable: DoubleReply { DoubleReply(503, body: #"{"code":503,"errno":201}"#) }

    // MARK: Subscriptions

    /// RFC 8030 section 4; the body may restrict it to one server (RFC 8292 section 4.1).
    private func subscription(_ request: DoubleRequest) -> DoubleReply {
        struct Options: Decodable { let vapid: String }
        var serverKey: String?
        if !request.body.isEmpty {
            guard request.header("content-type")?.split(separator: ";").first == Self.optionsType[...] else {
                return DoubleReply(415)
            }
            let options = try? JSONDecoder().decode(Options.self, from: Data(request.body))
            guard let key = options?.vapid, Self.key(key) != nil else { return DoubleReply(400) }
            serverKey = key
        }
        let resource = Self.subscriptionPath + Self.capability()
        let pushResource = Self.pushPath + Self.capability()
        let origin: String? = state.withLock { state in
            guard state.pushResources.count < subscriptionsMax else { return nil }
            state.pushResources[resource] = pushResource
            state.subscriptions[pushResource] = Subscription(serverKey: serverKey, browser: nil)
            return state.origin
        }
        guard let origin else { return unavailable }
        return DoubleReply(
            201,
            headers: ["location": origin + resource, "link": "<\(pushResource)>; rel=\"urn:ietf:params:push\""])
    }

    /// RFC 8030 section 7.3: nothing can be sent to it any more.
    private func removal(_ path: String) -> DoubleReply {
        state.withLock { state in
            guard let pushResource = state.pushResources.removeValue(forKey: path) else { return DoubleReply(404) }
            state.subscriptions[pushResource] = nil
            return DoubleReply(204)
        }
    }

    /// Whoever knows it may use what it names: too much to be guessed (RFC 8030 section 8.3).
    private static func capability() -> String {
        SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }.base64URL
    }

    // MARK: Messages

    private func message(_ request: DoubleRequest) -> DoubleReply {
        let (found, origin) = state.withLock { ($0.subscriptions[request.path], $0.origin) }
        guard let subscription = found else { return DoubleReply(404, body: #"{"code":404,"errno":102}"#) }
        if subscription.isGone { return DoubleReply(410, body: #"{"code":410,"errno":106}"#) }
        // Without credentials, and with wrong ones or another server's (RFC 8292 section 4.2).
        guard let credentials = request.header("authorization"), credentials.hasPrefix("vapid ") else {
            return DoubleReply(401, body: #"{"code":401,"errno":109}"#)
        }
        guard isKnown(credentials, subscription, origin) else {
            return DoubleReply(403, body: #"{"code":403,"errno":109}"#)
        }
        guard let text = request.header("ttl"), let seconds = Int64(text), seconds >= 0 else { return DoubleReply(400) }
        let urgency = request.header("urgency") ?? "normal"
        guard ["very-low", "low", "normal", "high"].contains(urgency), isTopic(request.header("topic")),
            request.header("content-encoding") == "aes128gcm"
        else { return DoubleReply(400) }
        guard request.body.count <= Self.messageBytesMax else {
            return DoubleReply(413, body: #"{"code":413,"errno":104}"#)
        }
        guard let sealed = SealedRecord(request.body) else { return DoubleReply(400) }
        if let browser = subscription.browser {
            guard let plain = browser.open(sealed) else { return DoubleReply(400) }
            state.withLock { if $0.opened.count < Self.openedMax { $0.opened.append(plain) } }
        }
        state.withLock { $0.delivered += 1 }
        onDelivery(origin + request.path, request.body)
        return DoubleReply(201, headers: ["location": "\(request.path)/m", "ttl": text])
    }

    private func isTopic(_ topic: String?) -> Bool {
        guard let topic else { return true }
        return (1...Self.topicCharactersMax).contains(topic.utf8.count) && Data(base64URL: topic) != nil
    }

    /// The checks of RFC 8292 sections 2 to 4.
    private func isKnown(_ credentials: String, _ subscription: Subscription, _ origin: String) -> Bool {
        let parameters = Dictionary(
            credentials.dropFirst("vapid ".count).split(separator: ",").map { part in
                let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                return (String(pair.first ?? ""), pair.count == 2 ? String(pair[1]) : "")
            }, uniquingKeysWith: { first, _ in first })
        let time = now()
        guard let text = parameters["k"], subscription.serverKey ?? text == text, let key = Self.key(text),
            let token = TokenInspection(parameters["t"] ?? ""), token.isES256(by: key),
            token.claims["aud"] == .text(origin),
            let end = token.claims["exp"]?.number, end > time, end <= time + Self.tokenSecondsMax,
            let subject = token.claims["sub"]?.text
        else { return false }
        return subject.hasPrefix("mailto:") || subject.hasPrefix("https://")
    }

    private static func key(_ text: String) -> P256.Signing.PublicKey? {
        Data(base64URL: text).flatMap { try? P256.Signing.PublicKey(x963Representation: $0) }
    }
}
