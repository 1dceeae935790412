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

    private let key: APNsSigningKey
    private var current: (text: String, issuedAt: Timestamp)?

    init(_ key: APNsSigningKey) { self.key = key }

    mutating func token(now: Timestamp) throws -> String {
        // One of the future is of a clock that has been set back since: APNs refuses it.
        if let current, (.zero..<Self.renewedAfter).contains(now - current.issuedAt) { return current.text }
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

    private mutating func make(_ now: Timestamp) throws -> String {
        let text = try key.token(issuedAt: now)
        current = (text, now)
        return text
    }
}
