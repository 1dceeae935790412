import Crypto
package import Domain
import Proofs

/// The key by which push services know us (RFC 8292). It must differ from the keys that messages are sealed with.
package struct VAPIDKey: Sendable {
    /// An https or mailto URL at which a push service's operator reaches ours (RFC 8292 section 2.1).
    package let subject: String
    private let key: P256.Signing.PrivateKey

    /// Nil when `pem` is no P-256 private key, or the subject no such URL.
    package init?(subject: String, pem: Redacted<String>) {
        guard subject.hasPrefix("mailto:") || subject.hasPrefix("https://"),
            let key = try? P256.Signing.PrivateKey(pemRepresentation: pem.value)
        else { return nil }
        self.subject = subject
        self.key = key
    }

    /// The `applicationServerKey` of a subscription: the uncompressed point in base64url.
    package var publicKey: String { Base64URL.encode(Array(key.publicKey.x963Representation)) }

    func token(audience: String, expiresAt: Timestamp) throws -> String {
        struct Header: Encodable {
            let typ = "JWT"
            let alg = "ES256"
        }
        struct Claims: Encodable {
            let aud: String
            let exp: Int64
            let sub: String
        }
        return try ProviderToken.es256(
            Header(), Claims(aud: audience, exp: expiresAt.seconds, sub: subject), key: key)
    }
}

/// The `Authorization` of each push service, made once in a while. A value: no clock.
struct VAPIDTokenCache: Sendable {
    /// A push service takes at most 24 hours (RFC 8292 section 2); the rest is for clocks that differ.
    static let lifetime = Duration.seconds(12 * 3600)
    static let renewedBefore = Duration.seconds(3600)
    /// One a push service; when there are more, all are made anew.
    static let audiencesMax = 256

    private let key: VAPIDKey
    private var tokens: [String: (text: String, expiresAt: Timestamp)] = [:]

    init(_ key: VAPIDKey) { self.key = key }

    /// The value of `Authorization` (RFC 8292 section 3). `audience` is the origin of the push resource.
    mutating func authorization(audience: String, now: Timestamp) throws -> String {
        // One that would last for longer than any does is of a clock that has been set back since: it may be refused.
        if let token = tokens[audience], token.expiresAt - now > Self.renewedBefore,
            token.expiresAt - now <= Self.lifetime + ClockSkew.tolerated
        {
            return token.text
        }
        let expiresAt = now + Self.lifetime
        let text = "vapid t=\(try key.token(audience: audience, expiresAt: expiresAt)), k=\(key.publicKey)"
        if tokens.count >= Self.audiencesMax { tokens.removeAll() }
        tokens[audience] = (text, expiresAt)
        return text
    }
}
