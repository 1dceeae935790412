import Crypto
import Foundation
import Synchronization

/// A push service (RFC 8030) with the browsers behind it, which open what they get (RFC 8291).
package final class WebPushDouble: ProviderDouble {
    private static let messageBytesMax = 4096
    private static let topicCharactersMax = 32
    /// Kept to be looked at; the rest is counted.
    private static let openedMax = 1000
    private static let tokenSecondsMax: Int64 = 24 * 3600

    /// One browser's subscription.
    package struct Subscription: Sendable {
        package let path: String
        fileprivate let key = P256.KeyAgreement.PrivateKey()
        package let authenticationSecret: [UInt8]
        /// The only server that may send, as its public key in base64url; nil for any (RFC 8292 section 4).
        fileprivate let serverKey: String?

        package var publicKey: [UInt8] { Array(key.publicKey.x963Representation) }

        /// As a phone gives it: the members of the transport's address.
        package func address(at origin: String) -> String {
            #"{"endpoint":"\#(origin)\#(path)","p256dh":"\#(Data(publicKey).base64URL)","#
                + #""auth":"\#(Data(authenticationSecret).base64URL)"}"#
        }
    }

    private struct State {
        var origin = ""
        var subscriptions: [String: Subscription] = [:]
        var gone: Set<String> = []
        var opened: [String] = []
        var delivered = 0
    }

    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    /// `now` is seconds since 1970.
    package init(now: @escaping @Sendable () -> Int64) { self.now = now }

    /// What the browsers read, as text: the first ones.
    package var opened: [String] { state.withLock(\.opened) }
    package var delivered: Int { state.withLock(\.delivered) }

    /// Where it answers, which tokens must be for. Known once the port is.
    package func setOrigin(_ origin: String) { state.withLock { $0.origin = origin } }

    package func subscribe(serverKey: String? = nil) -> Subscription {
        state.withLock { state in
            let subscription = Subscription(
                path: "/push/\(state.subscriptions.count + 1)",
                authenticationSecret: SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }, serverKey: serverKey)
            state.subscriptions[subscription.path] = subscription
            return subscription
        }
    }

    package func unsubscribe(_ subscription: Subscription) {
        state.withLock { _ = $0.gone.insert(subscription.path) }
    }

    package func reply(to request: DoubleRequest) -> DoubleReply {
        guard request.method == "POST" else { return DoubleReply(405) }
        guard let subscription = state.withLock({ $0.subscriptions[request.path] }) else {
            return DoubleReply(404, body: #"{"code":404,"errno":102}"#)
        }
        if state.withLock({ $0.gone.contains(request.path) }) {
            return DoubleReply(410, body: #"{"code":410,"errno":106}"#)
        }
        guard isKnown(request, subscription) else { return DoubleReply(401, body: #"{"code":401,"errno":109}"#) }
        guard let text = request.header("ttl"), let seconds = Int64(text), seconds >= 0 else { return DoubleReply(400) }
        let urgency = request.header("urgency") ?? "normal"
        guard ["very-low", "low", "normal", "high"].contains(urgency), isTopic(request.header("topic")),
            request.header("content-encoding") == "aes128gcm"
        else { return DoubleReply(400) }
        guard request.body.count <= Self.messageBytesMax else {
            return DoubleReply(413, body: #"{"code":413,"errno":104}"#)
        }
        guard let plain = Self.open(request.body, for: subscription) else { return DoubleReply(400) }
        state.withLock { state in
            state.delivered += 1
            if state.opened.count < Self.openedMax { state.opened.append(plain) }
        }
        return DoubleReply(201, headers: ["location": "\(request.path)/m", "ttl": text])
    }

    package func throttled(retryAfter seconds: Int) -> DoubleReply {
        DoubleReply(429, headers: ["retry-after": "\(seconds)"], body: #"{"code":429,"errno":200}"#)
    }

    package var unavailable: DoubleReply { DoubleReply(503, body: #"{"code":503,"errno":201}"#) }

    private func isTopic(_ topic: String?) -> Bool {
        guard let topic else { return true }
        return (1...Self.topicCharactersMax).contains(topic.utf8.count) && Data(base64URL: topic) != nil
    }

    /// The checks of RFC 8292 sections 2 to 4.
    private func isKnown(_ request: DoubleRequest, _ subscription: Subscription) -> Bool {
        guard let value = request.header("authorization"), value.hasPrefix("vapid ") else { return false }
        let parameters = Dictionary(
            value.dropFirst("vapid ".count).split(separator: ",").map { part in
                let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                return (String(pair[0]), pair.count == 2 ? String(pair[1]) : "")
            }, uniquingKeysWith: { first, _ in first })
        let time = now()
        guard let text = parameters["k"], subscription.serverKey ?? text == text, let point = Data(base64URL: text),
            let key = try? P256.Signing.PublicKey(x963Representation: point),
            let token = TokenInspection(parameters["t"] ?? ""), token.isES256(by: key),
            token.claims["aud"] == .text(state.withLock(\.origin)),
            let end = token.claims["exp"]?.number, end > time, end <= time + Self.tokenSecondsMax,
            let subject = token.claims["sub"]?.text
        else { return false }
        return subject.hasPrefix("mailto:") || subject.hasPrefix("https://")
    }

    /// Opens the single record of `aes128gcm` (RFC 8188 section 2) with the keys of RFC 8291 section 3.4.
    private static func open(_ body: [UInt8], for subscription: Subscription) -> String? {
        guard body.count > 86 + 16, body[20] == 65 else { return nil }
        let (salt, sender, record) = (Array(body[..<16]), Array(body[21..<86]), Array(body[86...]))
        guard let senderKey = try? P256.KeyAgreement.PublicKey(x963Representation: sender),
            let shared = try? subscription.key.sharedSecretFromKeyAgreement(with: senderKey)
        else { return nil }
        let info = Array("WebPush: info\0".utf8) + subscription.publicKey + sender
        let keyMaterial = shared.hkdfDerivedSymmetricKey(
            using: SHA256.self, salt: subscription.authenticationSecret, sharedInfo: info, outputByteCount: 32)
        func derive(_ what: String, _ count: Int) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: keyMaterial, salt: salt, info: Array("Content-Encoding: \(what)\0".utf8),
                outputByteCount: count)
        }
        let nonce = derive("nonce", 12).withUnsafeBytes { Array($0) }
        guard
            let box = try? AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: nonce), ciphertext: record.dropLast(16), tag: record.suffix(16)),
            let padded = try? AES.GCM.open(box, using: derive("aes128gcm", 16)),
            let end = padded.lastIndex(where: { $0 != 0 }), padded[end] == 2
        else { return nil }
        return String(validating: padded[..<end], as: UTF8.self)
    }
}
