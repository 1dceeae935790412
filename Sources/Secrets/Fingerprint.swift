import COpenSSL

extension Sealer {
    /// Says of two texts whether they are the same one, and nothing of the text to whoever reads the store: HMAC-SHA-256 (RFC 2104)
    /// under a key of the ring, so that a guessed password cannot be tried against it. `key id (4) | HMAC (32)`.
    package func fingerprint(_ text: [UInt8]) -> [UInt8] { Self.fingerprint(text, current) }

    /// Whether `fingerprint` is of this text. False also when its key has left the ring.
    package func isFingerprint(_ fingerprint: [UInt8], of text: [UInt8]) -> Bool {
        guard let key = key(Array(fingerprint.prefix(SealingKey.idBytes))) else { return false }
        return constantTimeEquals(fingerprint, Self.fingerprint(text, key))
    }

    private static func fingerprint(_ text: [UInt8], _ key: SealingKey) -> [UInt8] {
        key.id + hmac(text, key: key.fingerprintKey)
    }
}

/// HMAC-SHA-256 (RFC 2104), 32 bytes.
func hmac(_ text: [UInt8], key: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let done = HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &code, &length)
    precondition(done != nil && length == 32, "OpenSSL has no HMAC")
    return code
}
