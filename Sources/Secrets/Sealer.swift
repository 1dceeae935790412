/// Seals what must be read again later: AES-256-GCM (NIST SP 800-38D) under the first key of a ring.
///
/// Sealed bytes are `version (1) | key id (4) | nonce (12) | ciphertext | tag (16)`. Version, key id and purpose are authenticated
/// with the text, so that bytes sealed for one purpose never open for another. A nonce is 96 random bits: one key may seal 2^32
/// texts (section 8.3), and an operator puts a new key in front long before.
package struct Sealer: Sendable {
    private static let version: UInt8 = 1
    private static let headerBytes = 1 + SealingKey.idBytes

    let current: SealingKey
    private let ring: [[UInt8]: SealingKey]
    /// Where the ring was read; nil for one that lives in memory.
    private let file: SealingKeyFile?

    init(_ keys: [SealingKey], file: SealingKeyFile? = nil) throws(SecretsError) {
        guard let current = keys.first else { throw .keyFile(detail: "a key ring needs a key") }
        self.current = current
        var ring: [[UInt8]: SealingKey] = [:]
        for key in keys where ring.updateValue(key, forKey: key.id) != nil {
            throw .keyFile(detail: "a key stands twice in the ring")
        }
        (self.ring, self.file) = (ring, file)
    }

    /// Reads the ring from a key file, which is made with one key when it does not exist. See `SealingKeyFile`.
    package init(keyFile path: String) throws(SecretsError) {
        let file = SealingKeyFile(path)
        try self.init(file.readOrMake(), file: file)
    }

    /// With the ring as its file is now. Throws `keyFile`, also for a file that is gone.
    package func reread() throws(SecretsError) -> Sealer {
        guard let file else { return self }
        return try Sealer(file.read(), file: file)
    }

    /// A sealer whose key lives as long as this process, for tests and for what no other process opens.
    package static func ephemeral() -> Sealer {
        let key = SealingKey(randomBytes(SealingKey.bytes))
        return Sealer(current: key, ring: [key.id: key])
    }

    private init(current: SealingKey, ring: [[UInt8]: SealingKey]) {
        (self.current, self.ring, file) = (current, ring, nil)
    }

    package func seal(_ plain: [UInt8], for purpose: String) throws(SecretsError) -> [UInt8] {
        let header = [Self.version] + current.id
        let nonce = randomBytes(AESGCM.nonceBytes)
        return try header + nonce
            + AESGCM.seal(plain, key: current.secret, nonce: nonce, authenticating: header + Array(purpose.utf8))
    }

    func key(_ id: [UInt8]) -> SealingKey? { ring[id] }

    /// Throws `notGenuine` for anything but what `seal` returned for the same purpose under a key of the ring.
    package func open(_ sealed: [UInt8], for purpose: String) throws(SecretsError) -> [UInt8] {
        let textStart = Self.headerBytes + AESGCM.nonceBytes
        guard sealed.count >= textStart + AESGCM.tagBytes, sealed[0] == Self.version,
            let key = ring[Array(sealed[1..<Self.headerBytes])]
        else { throw .notGenuine }
        return try AESGCM.open(
            Array(sealed[textStart...]), key: key.secret, nonce: Array(sealed[Self.headerBytes..<textStart]),
            authenticating: Array(sealed[..<Self.headerBytes]) + Array(purpose.utf8))
    }
}

/// One key of a ring; its id, the first bytes of its digest, tells which key sealed something and nothing of the key.
struct SealingKey: Sendable, Equatable {
    static let bytes = 32
    static let idBytes = 4

    let secret: [UInt8]
    let id: [UInt8]
    /// A key of its own for fingerprints, so that the one that seals is used with AES alone.
    let fingerprintKey: [UInt8]

    init(_ secret: [UInt8]) {
        precondition(secret.count == Self.bytes, "a sealing key has 32 bytes")
        self.secret = secret
        id = Array(sha256(secret).prefix(Self.idBytes))
        fingerprintKey = hmac(Array("countersign fingerprint".utf8), key: secret)
    }
}
