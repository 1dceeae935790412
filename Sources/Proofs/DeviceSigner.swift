import Crypto

/// Holds a device's private key and signs with it: the Secure Enclave, StrongBox, or software.
package protocol DeviceSigner: Sendable {
    var publicKey: PublicKeyJWK { get }

    /// The ECDSA P-256 signature of the SHA-256 of `bytes`: r and s, 32 bytes each (RFC 7518 section 3.4). May ask the person
    /// first, so it may take long and may fail.
    func sign(_ bytes: [UInt8]) async throws -> [UInt8]
}

/// A key in memory, for the command line, tests, and phones without secure hardware.
package struct SoftwareDeviceSigner: DeviceSigner {
    private let key: P256.Signing.PrivateKey

    /// A fresh key.
    package init() { key = P256.Signing.PrivateKey() }

    /// The 32 bytes of `rawRepresentation`. Throws `malformed` for what is not a private key.
    package init(rawRepresentation: [UInt8]) throws(ProofError) {
        do {
            key = try P256.Signing.PrivateKey(rawRepresentation: rawRepresentation)
        } catch {
            throw .malformed
        }
    }

    /// The private key. Whoever stores it must protect it.
    package var rawRepresentation: [UInt8] { Array(key.rawRepresentation) }

    package var publicKey: PublicKeyJWK {
        guard let jwk = try? PublicKeyJWK(x963: Array(key.publicKey.x963Representation)) else {
            preconditionFailure("a private key has a public key on the curve")
        }
        return jwk
    }

    package func sign(_ bytes: [UInt8]) async throws -> [UInt8] {
        Array(try key.signature(for: bytes).rawRepresentation)
    }
}
