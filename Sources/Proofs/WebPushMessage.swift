import Crypto

/// For whom a Web Push message is sealed (RFC 8291 section 2).
package struct WebPushReceiver: Hashable, Sendable {
    /// Its P-256 point, uncompressed.
    package let publicKey: [UInt8]
    package let authenticationSecret: [UInt8]

    package init(publicKey: [UInt8], authenticationSecret: [UInt8]) {
        self.publicKey = publicKey
        self.authenticationSecret = authenticationSecret
    }
}

package enum WebPushMessageError: Error, Hashable, Sendable {
    /// The receiver's keys are no point of P-256 or no secret of 16 bytes.
    case badReceiver
    /// More than `plainBytesMax`.
    case tooLarge
    /// No single record of `aes128gcm`, or one that was sealed for somebody else.
    case notForReceiver
}

/// Seals a message for one receiver, who opens it with `WebPushKeys`: RFC 8291 with the single record of `aes128gcm` (RFC 8188).
package enum WebPushMessage {
    /// A push service takes 4096 bytes (RFC 8030 section 7.2); header, delimiter and tag need 103 of them (RFC 8291 section 4).
    package static let plainBytesMax = 3993
    static let authenticationSecretBytes = 16
    static let saltBytes = 16
    static let pointBytes = 65
    static let tagBytes = 16
    /// Salt, size of a record, length of the sender's key, and that key (RFC 8188 section 2.1).
    static let headerBytes = saltBytes + 4 + 1 + pointBytes
    static let recordBytes: UInt32 = 4096
    /// Says that no record follows (RFC 8188 section 2).
    static let lastRecord: UInt8 = 2

    /// Salt and key are fresh for each message: a nonce used twice would open both.
    package static func seal(_ plain: [UInt8], for receiver: WebPushReceiver) throws(WebPushMessageError) -> [UInt8] {
        try seal(
            plain, for: receiver, ephemeral: P256.KeyAgreement.PrivateKey(), salt: .random(saltBytes))
    }

    /// With the sender's key and the salt given, for the vectors alone.
    static func seal(
        _ plain: [UInt8], for receiver: WebPushReceiver, ephemeral: P256.KeyAgreement.PrivateKey, salt: [UInt8]
    ) throws(WebPushMessageError) -> [UInt8] {
        guard plain.count <= plainBytesMax else { throw .tooLarge }
        guard receiver.authenticationSecret.count == authenticationSecretBytes else { throw .badReceiver }
        do {
            let point = try P256.KeyAgreement.PublicKey(x963Representation: receiver.publicKey)
            let sender = Array(ephemeral.publicKey.x963Representation)
            let keys = ContentKeys(
                try ephemeral.sharedSecretFromKeyAgreement(with: point), of: receiver, sender: sender, salt: salt)
            let box = try AES.GCM.seal(plain + [lastRecord], using: keys.key, nonce: try keys.nonce)
            return salt + bigEndian(recordBytes) + [UInt8(sender.count)] + sender + box.ciphertext + box.tag
        } catch {
            throw .badReceiver
        }
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }
}

/// What a receiver of Web Push messages keeps to itself.
package struct WebPushKeys: Sendable {
    package let receiver: WebPushReceiver
    private let key: P256.KeyAgreement.PrivateKey

    package init() {
        self.init(
            key: P256.KeyAgreement.PrivateKey(),
            authenticationSecret: .random(WebPushMessage.authenticationSecretBytes))
    }

    init(key: P256.KeyAgreement.PrivateKey, authenticationSecret: [UInt8]) {
        self.key = key
        receiver = WebPushReceiver(
            publicKey: Array(key.publicKey.x963Representation), authenticationSecret: authenticationSecret)
    }

    /// The message in a body that a push service delivered. Throws `notForReceiver`.
    package func open(_ sealed: [UInt8]) throws(WebPushMessageError) -> [UInt8] {
        typealias Form = WebPushMessage
        let header = Form.headerBytes
        guard sealed.count > header + Form.tagBytes, Int(sealed[Form.saltBytes + 4]) == Form.pointBytes else {
            throw .notForReceiver
        }
        let recordBytes = sealed[Form.saltBytes..<Form.saltBytes + 4].reduce(0) { $0 << 8 | UInt32($1) }
        guard sealed.count - header <= recordBytes else { throw .notForReceiver }
        let (sender, record) = (Array(sealed[header - Form.pointBytes..<header]), sealed[header...])
        do {
            let point = try P256.KeyAgreement.PublicKey(x963Representation: sender)
            let keys = ContentKeys(
                try key.sharedSecretFromKeyAgreement(with: point), of: receiver, sender: sender,
                salt: Array(sealed[..<Form.saltBytes]))
            let box = try AES.GCM.SealedBox(
                nonce: try keys.nonce, ciphertext: record.dropLast(Form.tagBytes), tag: record.suffix(Form.tagBytes))
            let padded = Array(try AES.GCM.open(box, using: keys.key))
            guard let end = padded.lastIndex(where: { $0 != 0 }), padded[end] == Form.lastRecord else {
                throw WebPushMessageError.notForReceiver
            }
            return Array(padded[..<end])
        } catch {
            throw .notForReceiver
        }
    }
}

/// The keys of one message (RFC 8291 section 3.4, RFC 8188 sections 2.2 and 2.3).
private struct ContentKeys {
    let key: SymmetricKey
    private let nonceBytes: SymmetricKey

    init(_ shared: SharedSecret, of receiver: WebPushReceiver, sender: [UInt8], salt: [UInt8]) {
        let material = shared.hkdfDerivedSymmetricKey(
            using: SHA256.self, salt: receiver.authenticationSecret,
            sharedInfo: Array("WebPush: info\0".utf8) + receiver.publicKey + sender, outputByteCount: 32)
        func derive(_ what: String, _ bytes: Int) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: material, salt: salt, info: Array("Content-Encoding: \(what)\0".utf8),
                outputByteCount: bytes)
        }
        key = derive("aes128gcm", 16)
        nonceBytes = derive("nonce", 12)
    }

    var nonce: AES.GCM.Nonce {
        get throws { try AES.GCM.Nonce(data: nonceBytes.withUnsafeBytes { Array($0) }) }
    }
}

extension [UInt8] {
    fileprivate static func random(_ count: Int) -> [UInt8] {
        SymmetricKey(size: SymmetricKeySize(bitCount: count * 8)).withUnsafeBytes { Array($0) }
    }
}
