import COpenSSL

/// scrypt (RFC 7914) through OpenSSL's EVP.
enum Scrypt {
    /// Fills `count` bytes. Takes about 128 * N * r bytes of memory while it runs.
    static func derive(
        _ password: [UInt8], salt: [UInt8], cost: PasswordHasher.Cost, count: Int
    ) throws(SecretsError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        let (blocks, size, parallel) = (UInt64(1) << UInt64(cost.log2N), UInt64(cost.r), UInt64(cost.p))
        // OpenSSL refuses more than 32 MiB unless told; this is its own sum, with a little room.
        let memoryMax = 128 * size * (blocks + parallel + 2) + 1_048_576
        let done = password.withUnsafeBytes { password in
            EVP_PBE_scrypt(
                password.bindMemory(to: CChar.self).baseAddress, password.count, salt, salt.count, blocks, size,
                parallel, memoryMax,
                &result, count)
        }
        guard done == 1 else { throw .unavailable }
        return result
    }
}
