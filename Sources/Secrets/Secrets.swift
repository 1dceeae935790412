// Secrets at rest: passwords hashed, machine secrets digested, everything else sealed. The only module that speaks to OpenSSL.
//
// Owns: the form of sealed bytes and hashes, key rings, and files that nobody else may read. Must not know: what the secrets are for;
// callers name a purpose. Start reading at `Sealer` and `PasswordHasher`.

import COpenSSL

package enum SecretsError: Error, Hashable, Sendable {
    /// OpenSSL could not do what it always can: out of memory, or a provider without the algorithm.
    case unavailable
    /// As many passwords as may be are being hashed or wait for it: ask again in a second.
    case busy
    /// Sealed bytes that were changed, were sealed for another purpose, or by a key that is not in the ring; a stored hash that
    /// this build did not write.
    case notGenuine
    /// A key file that is missing, readable by others, or not what this build wrote; `detail` is safe to log.
    case keyFile(detail: String)
}

/// SHA-256 (FIPS 180-4), 32 bytes. How machine secrets of 256 random bits are stored.
package func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let done = EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
    precondition(done == 1 && length == 32, "OpenSSL has no SHA-256")
    return digest
}

/// Bytes from OpenSSL's generator, for secrets, ids and numbers.
package func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    // A generator that cannot be seeded must stop the process: there is no safe way on.
    precondition(RAND_bytes(&bytes, Int32(count)) == 1, "OpenSSL has no randomness")
    return bytes
}

/// Compares secrets in a time that depends on their length alone. Different lengths are different at once.
package func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
