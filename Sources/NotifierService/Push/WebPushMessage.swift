import Crypto
package import Domain
import Foundation
import Proofs
import Secrets

/// What a browser or a UnifiedPush distributor gave the phone: where to send, and for whom to seal (RFC 8030 section 2, RFC 8291 section 2).
package struct WebPushSubscription: Hashable, Sendable {
    /// The push resource: whoever knows it may send to it.
    package let endpoint: String
    /// The receiver's P-256 point, uncompressed.
    package let publicKey: [UInt8]
    package let authenticationSecret: [UInt8]

    /// Reads `{"endpoint","p256dh","auth"}`. Nil when a member is missing or cannot be one.
    package init?(_ address: Redacted<[UInt8]>) {
        struct Members: Decodable {
            let endpoint: String
            let p256dh: String
            let auth: String
        }
        guard let members = try? JSONDecoder().decode(Members.self, from: Data(address.value)),
            let publicKey = Base64URL.decode(members.p256dh), let secret = Base64URL.decode(members.auth)
        else { return nil }
        self.init(endpoint: members.endpoint, publicKey: publicKey, authenticationSecret: secret)
    }

    package init(endpoint: String, publicKey: [UInt8], authenticationSecret: [UInt8]) {
        self.endpoint = endpoint
        self.publicKey = publicKey
        self.authenticationSecret = authenticationSecret
    }
}

package enum WebPushMessageError: Error, Hashable, Sendable {
    /// The subscription's keys are no point of P-256 or no secret of 16 bytes.
    case badSubscription
    /// More than `plainBytesMax`.
    case tooLarge
}

/// Seals a message for one subscription: RFC 8291 with the single record of `aes128gcm` (RFC 8188).
package enum WebPushMessage {
    /// A push service takes 4096 bytes (RFC 8030 section 7.2); header, delimiter and tag need 103 of them (RFC 8291 section 4).
    package static let plainBytesMax = 3993
    static let authenticationSecretBytes = 16
    private static let saltBytes = 16
    private static let recordBytes: UInt32 = 4096
    /// Says that no record follows (RFC 8188 section 2).
    private static let lastRecord: UInt8 = 2

    /// Salt and key are fresh for each message: a nonce used twice would open both.
    package static func seal(_ plain: [UInt8], for subscription: WebPushSubscription) throws(WebPushMessageError)
        -> [UInt8]
    {
        try seal(
            plain, for: subscription, ephemeral: Array(P256.KeyAgreement.PrivateKey().rawRepresentation),
            salt: randomBytes(saltBytes))
    }

    /// With the sender's key and the salt given, for the vectors alone.
    static func seal(
        _ plain: [UInt8], for subscription: WebPushSubscription, ephemeral: [UInt8], salt: [UInt8]
    ) throws(WebPushMessageError) -> [UInt8] {
        guard plain.count <= plainBytesMax else { throw .tooLarge }
        guard subscription.authenticationSecret.count == authenticationSecretBytes else { throw .badSubscription }
        do {
            let key = try P256.KeyAgreement.PrivateKey(rawRepresentation: ephemeral)
            let receiver = try P256.KeyAgreement.PublicKey(x963Representation: subscription.publicKey)
            let sender = Array(key.publicKey.x963Representation)
            let shared = try key.sharedSecretFromKeyAgreement(with: receiver)
            let keyMaterial = shared.hkdfDerivedSymmetricKey(
                using: SHA256.self, salt: subscription.authenticationSecret,
                sharedInfo: Array("WebPush: info\0".utf8) + subscription.publicKey + sender, outputByteCount: 32)
            let contentKey = derive("Content-Encoding: aes128gcm\0", keyMaterial, salt, bytes: 16)
            let nonce = derive("Content-Encoding: nonce\0", keyMaterial, salt, bytes: 12)
            let box = try AES.GCM.seal(
                plain + [lastRecord], using: contentKey,
                nonce: AES.GCM.Nonce(data: nonce.withUnsafeBytes { Array($0) }))
            return salt + bigEndian(recordBytes) + [UInt8(sender.count)] + sender + box.ciphertext + box.tag
        } catch {
            throw .badSubscription
        }
    }

    private static func derive(_ info: String, _ keyMaterial: SymmetricKey, _ salt: [UInt8], bytes: Int) -> SymmetricKey
    {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: keyMaterial, salt: salt, info: Array(info.utf8), outputByteCount: bytes)
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }
}
