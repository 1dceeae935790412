import Crypto
import CryptoExtras
import Foundation
import Proofs

/// Writes the JSON Web Tokens by which a provider knows us (RFC 7519), as a compact JWS (RFC 7515 section 7.1).
enum ProviderToken {
    /// ES256: ECDSA with P-256 (RFC 7518 section 3.4).
    static func es256(_ header: some Encodable, _ claims: some Encodable, key: P256.Signing.PrivateKey) throws -> String
    {
        let text = try signed(header, claims)
        return text + "." + Base64URL.encode(Array(try key.signature(for: Data(text.utf8)).rawRepresentation))
    }

    /// RS256: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3), the one that Google's token endpoint takes.
    static func rs256(_ header: some Encodable, _ claims: some Encodable, key: _RSA.Signing.PrivateKey) throws -> String
    {
        let text = try signed(header, claims)
        let signature = try key.signature(for: Data(text.utf8), padding: .insecurePKCS1v1_5)
        return text + "." + Base64URL.encode(Array(signature.rawRepresentation))
    }

    private static func signed(_ header: some Encodable, _ claims: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Base64URL.encode(Array(try encoder.encode(header))) + "."
            + Base64URL.encode(Array(try encoder.encode(claims)))
    }
}
