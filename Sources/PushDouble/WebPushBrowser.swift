import Crypto
import Foundation

/// A browser with one subscription at a `WebPushDouble`: the keys that a message is sealed for, and what opens it (RFC 8291). Not by
/// Proofs, whose sealing it checks: an error of both would not be seen.
package struct WebPushBrowser: Sendable {
    package let path: String
    package let authenticationSecret = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
    private let key = P256.KeyAgreement.PrivateKey()

    init(path: String) { self.path = path }

    package var publicKey: [UInt8] { Array(key.publicKey.x963Representation) }

    /// As a phone gives it: the members of the transport's address.
    package func address(at origin: String) -> String {
        #"{"endpoint":"\#(origin)\#(path)","p256dh":"\#(Data(publicKey).base64URL)","#
            + #""auth":"\#(Data(authenticationSecret).base64URL)"}"#
    }

    /// With the keys of RFC 8291 section 3.4. Nil when it was sealed for another, or is no text.
    func open(_ sealed: SealedRecord) -> String? {
        guard let shared = try? key.sharedSecretFromKeyAgreement(with: sealed.sender) else { return nil }
        let info = Array("WebPush: info\0".utf8) + publicKey + Array(sealed.sender.x963Representation)
        let keyMaterial = shared.hkdfDerivedSymmetricKey(
            using: SHA256.self, salt: authenticationSecret, sharedInfo: info, outputByteCount: 32)
        func derive(_ what: String, _ count: Int) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: keyMaterial, salt: sealed.salt, info: Array("Content-Encoding: \(what)\0".utf8),
                outputByteCount: count)
        }
        let nonce = derive("nonce", 12).withUnsafeBytes { Array($0) }
        guard
            let box = try? AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: nonce), ciphertext: sealed.record.dropLast(SealedRecord.tagBytes),
                tag: sealed.record.suffix(SealedRecord.tagBytes)),
            let padded = try? AES.GCM.open(box, using: derive("aes128gcm", 16)),
            let end = padded.lastIndex(where: { $0 != 0 }), padded[end] == 2
        else { return nil }
        return String(validating: padded[..<end], as: UTF8.self)
    }
}

/// A body of `aes128gcm` with a single record (RFC 8188 section 2), as far as one sees it without the receiver's keys.
struct SealedRecord {
    static let tagBytes = 16
    private static let headerBytes = 86

    let salt: [UInt8]
    let sender: P256.KeyAgreement.PublicKey
    let record: [UInt8]

    /// Nil when the header is none of RFC 8291 section 4, or something follows the record.
    init?(_ body: [UInt8]) {
        // A record has a delimiter at least.
        guard body.count > Self.headerBytes + Self.tagBytes, body[20] == 65 else { return nil }
        let recordBytes = body[16..<20].reduce(0) { $0 << 8 | UInt32($1) }
        guard body.count - Self.headerBytes <= recordBytes,
            let sender = try? P256.KeyAgreement.PublicKey(x963Representation: body[21..<Self.headerBytes])
        else { return nil }
        salt = Array(body[..<16])
        self.sender = sender
        record = Array(body[Self.headerBytes...])
    }
}
