import Crypto
package import Domain

/// The key of an Apple developer team by which APNs knows us ("Establishing a token-based connection to APNs").
package struct APNsSigningKey: Sendable {
    package let keyID: String
    package let teamID: String
    private let key: P256.Signing.PrivateKey

    /// `pem` is the text of the `.p8` file. Nil when it is no P-256 private key.
    package init?(keyID: String, teamID: String, pem: Redacted<String>) {
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: pem.value) else { return nil }
        self.keyID = keyID
        self.teamID = teamID
        self.key = key
    }

    func token(issuedAt: Timestamp) throws -> String {
        struct Header: Encodable {
            let alg = "ES256"
            let kid: String
        }
        struct Claims: Encodable {
            let iss: String
            let iat: Int64
        }
        return try ProviderToken.es256(Header(kid: keyID), Claims(iss: teamID, iat: issuedAt.seconds), key: key)
    }
}

/// The provider token in use, and when another may be made. A value: no clock.
///
/// APNs refuses tokens that are older than an hour, and whoever makes one more often than every 20 minutes.
struct APNsTokenCache: Sendable {
    static let renewedAfter = Duration.seconds(40 * 60)
    static let keptAtLeast = Duration.seconds(20 * 60)
    /// As long as APNs takes one, less what clocks differ by.
    static let usedAtMost = Duration.seconds(55 * 60)

    private struct Token {
        let text: String
        let issuedAt: Timestamp
    }

    private let key: APNsSigningKey
    private var current: Token?
    /// The one before it.
    private var former: Token?
    /// Since when the current one is the former again, because APNs had refused another as made too soon.
    private var heldSince: Timestamp?

    init(_ key: APNsSigningKey) { self.key = key }

    mutating func token(now: Timestamp) throws -> String {
        // One of the future is of a clock that has been set back since: APNs refuses it.
        if let current, (.zero..<Self.renewedAfter).contains(now - current.issuedAt) || isHeld(current, now) {
            return current.text
        }
        return try make(now)
    }

    /// Another token in the place of one that APNs called too old; nil when that one is too young for it, so that our clock must be
    /// wrong or the refusal another's.
    mutating func token(insteadOf refused: String, now: Timestamp) throws -> String? {
        // Many requests may learn of one refusal: the first makes the token, the others find it.
        guard let current, current.text == refused else { return try token(now: now) }
        guard now - current.issuedAt >= Self.keptAtLeast else { return nil }
        return try make(now)
    }

    /// APNs called a token made too soon after the one before it: that one is used on, while APNs takes it.
    mutating func keepFormer(insteadOf refused: String, now: Timestamp) {
        guard let current, current.text == refused, let former, now - former.issuedAt < Self.usedAtMost else { return }
        self.current = former
        self.former = nil
        heldSince = now
    }

    private func isHeld(_ token: Token, _ now: Timestamp) -> Bool {
        guard let heldSince else { return false }
        return (.zero..<Self.keptAtLeast).contains(now - heldSince) && now - token.issuedAt < Self.usedAtMost
    }

    private mutating func make(_ now: Timestamp) throws -> String {
        let text = try key.token(issuedAt: now)
        former = current
        current = Token(text: text, issuedAt: now)
        heldSince = nil
        return text
    }
}
