import Crypto
import Domain

/// A device's public key: a point of P-256, as a JWK (RFC 7517, RFC 7518 section 6.2) or an X9.63 uncompressed point.
package struct PublicKeyJWK: Hashable, Sendable {
    private static let coordinateBytes = 32

    /// 0x04, x, y: 65 bytes.
    package let x963: [UInt8]

    /// Throws `malformed` for anything but an uncompressed point on the curve.
    package init(x963 bytes: [UInt8]) throws(ProofError) {
        guard bytes.count == 1 + 2 * Self.coordinateBytes, bytes[0] == 4 else { throw .malformed }
        do {
            // Checks that the point is on the curve: an off-curve point would put the signature's security in question.
            _ = try P256.Signing.PublicKey(x963Representation: bytes)
        } catch {
            throw .malformed
        }
        x963 = bytes
    }

    /// Reads a JWK's JSON text. Throws `malformed` for another type or curve, an off-curve point, or a private key.
    package init(json: String) throws(ProofError) {
        guard let members = try? JSONValue(parsing: json).members else { throw .malformed }
        try self.init(members)
    }

    init(_ members: [String: JSONValue]) throws(ProofError) {
        // A private member is refused rather than ignored: whoever sent it has a leaked key, not a device key.
        guard members["d"] == nil, members["kty"] == .string("EC"), members["crv"] == .string("P-256"),
            let x = members["x"]?.text.flatMap({ Base64URL.decode($0) }), x.count == Self.coordinateBytes,
            let y = members["y"]?.text.flatMap({ Base64URL.decode($0) }), y.count == Self.coordinateBytes
        else { throw .malformed }
        for (name, allowed) in [("alg", "ES256"), ("use", "sig")] {
            if let value = members[name], value != .string(allowed) { throw .malformed }
        }
        try self.init(x963: [4] + x + y)
    }

    package var x: String { Base64URL.encode(Array(x963[1..<33])) }
    package var y: String { Base64URL.encode(Array(x963[33..<65])) }

    /// The JWK with the required members only, in the lexical order of RFC 7638 section 3.
    package var json: String { #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"# }

    /// JWK thumbprint with SHA-256 (RFC 7638), base64url.
    package var thumbprint: String { Base64URL.encode(contentDigest(Array(json.utf8))) }

    /// Whether `signature`, r and s of 32 bytes each, is this key's ECDSA signature of the SHA-256 of `bytes`.
    package func isValid(signature: [UInt8], of bytes: [UInt8]) -> Bool {
        guard signature.count == 2 * Self.coordinateBytes,
            let key = try? P256.Signing.PublicKey(x963Representation: x963),
            let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
        else { return false }
        return key.isValidSignature(parsed, for: bytes)
    }
}
