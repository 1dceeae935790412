public import Foundation
import Proofs

/// Names a key in a `KeyStore`: the RFC 7638 thumbprint of its public half, so the same key has the same name everywhere.
public struct KeyID: Sendable, Hashable, Codable, CustomStringConvertible {
    public let rawValue: String
    public init(_ rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// The name of the key with this public half: 0x04, x, y. Nil for what is not a point of P-256.
    public init?(publicKey: Data) {
        guard let jwk = try? PublicKeyJWK(x963: Array(publicKey)) else { return nil }
        rawValue = jwk.thumbprint
    }

    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(String.self) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// A P-256 key whose private half never leaves where it was made: the Secure Enclave, StrongBox, or `SoftwareKey`.
public protocol DeviceKey: Sendable {
    /// The public half as an X9.63 uncompressed point: 0x04, x, y; 65 bytes.
    var publicKey: Data { get }

    /// The ECDSA signature over the SHA-256 of `message`: r and s, 32 bytes each. May ask the person for a fingerprint or a
    /// face first, so it may take long; throws when they refuse.
    func signature(for message: Data) async throws -> Data
}

/// A key in the app's memory, for phones without secure hardware, the command line and tests. Whoever stores `privateKey` must
/// protect it.
public struct SoftwareKey: DeviceKey, CustomStringConvertible, CustomReflectable {
    private let signer: SoftwareDeviceSigner

    /// A fresh key.
    public init() { signer = SoftwareDeviceSigner() }

    /// A key from its 32 private bytes; nil for what is none.
    public init?(privateKey: Data) {
        guard let signer = try? SoftwareDeviceSigner(rawRepresentation: Array(privateKey)) else { return nil }
        self.signer = signer
    }

    /// The 32 private bytes.
    public var privateKey: Data { Data(signer.rawRepresentation) }
    public var publicKey: Data { Data(signer.publicKey.x963) }
    public var id: KeyID { KeyID(signer.publicKey.thumbprint) }

    public func signature(for message: Data) async throws -> Data { Data(try await signer.sign(Array(message))) }

    public var description: String { "software key \(id)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Lets any `DeviceKey` sign the proofs of the device protocol.
struct KeySigner: DeviceSigner {
    private let key: any DeviceKey
    let publicKey: PublicKeyJWK

    /// Throws `keyUnavailable` when the key's public half is not a point of P-256.
    init(_ key: any DeviceKey) throws(AuthenticatorError) {
        self.key = key
        do { publicKey = try PublicKeyJWK(x963: Array(key.publicKey)) } catch { throw .keyUnavailable }
    }

    func sign(_ bytes: [UInt8]) async throws -> [UInt8] { Array(try await key.signature(for: Data(bytes))) }
}
