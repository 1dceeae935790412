import COpenSSL

/// AES-256-GCM through OpenSSL's EVP: text and tag in one array.
enum AESGCM {
    static let nonceBytes = 12
    static let tagBytes = 16

    static func seal(
        _ plain: [UInt8], key: [UInt8], nonce: [UInt8], authenticating data: [UInt8]
    ) throws(SecretsError) -> [UInt8] {
        let context = try CipherContext()
        guard EVP_EncryptInit_ex(context.pointer, EVP_aes_256_gcm(), nil, key, nonce) == 1 else { throw .unavailable }
        var length: Int32 = 0
        guard EVP_EncryptUpdate(context.pointer, nil, &length, data, Int32(data.count)) == 1 else { throw .unavailable }
        var sealed = [UInt8](repeating: 0, count: plain.count)
        if !plain.isEmpty {
            guard EVP_EncryptUpdate(context.pointer, &sealed, &length, plain, Int32(plain.count)) == 1 else {
                throw .unavailable
            }
        }
        var tag = [UInt8](repeating: 0, count: tagBytes)
        // GCM is a stream: the final call writes no byte, but wants an address.
        guard EVP_EncryptFinal_ex(context.pointer, &tag, &length) == 1,
            EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), &tag) == 1
        else { throw .unavailable }
        return sealed + tag
    }

    /// Throws `notGenuine` unless text, tag, nonce and data are those of one `seal`.
    static func open(
        _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], authenticating data: [UInt8]
    ) throws(SecretsError) -> [UInt8] {
        let context = try CipherContext()
        let text = Array(sealed.dropLast(tagBytes))
        var tag = Array(sealed.suffix(tagBytes))
        guard EVP_DecryptInit_ex(context.pointer, EVP_aes_256_gcm(), nil, key, nonce) == 1 else { throw .unavailable }
        var length: Int32 = 0
        guard EVP_DecryptUpdate(context.pointer, nil, &length, data, Int32(data.count)) == 1 else { throw .unavailable }
        var plain = [UInt8](repeating: 0, count: text.count)
        if !text.isEmpty {
            guard EVP_DecryptUpdate(context.pointer, &plain, &length, text, Int32(text.count)) == 1 else {
                throw .unavailable
            }
        }
        guard EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1 else {
            throw .unavailable
        }
        // The plain text leaves only after the tag was found right.
        guard EVP_DecryptFinal_ex(context.pointer, &tag, &length) == 1 else { throw .notGenuine }
        return plain
    }
}

/// Owns one EVP cipher context, which holds a key: freeing it also clears it.
private struct CipherContext: ~Copyable {
    let pointer: OpaquePointer

    init() throws(SecretsError) {
        guard let pointer = EVP_CIPHER_CTX_new() else { throw .unavailable }
        self.pointer = pointer
    }

    deinit { EVP_CIPHER_CTX_free(pointer) }
}
