// What a phone proves and how that is checked: signatures, keys, one-time passwords, and the texts that carry them.
//
// Owns: base64url and Base32, strict JSON, JWK and JWS (ES256 only), the three signed claims of the device protocol, HOTP and
// TOTP, `otpauth:` and `countersign:` URIs, and how a Web Push message is sealed for a phone. Must not know: who a device belongs
// to, what was stored before, which clock is right; all of that is passed in. Runs on a phone as on a server. Start reading at
// `DeviceSigner` (signing) and `DeviceProof` (verifying).

import Crypto
import Domain

/// Why something that claims to come from a phone is not believed. Closed, so that every boundary can switch over it.
package enum ProofError: String, Error, Hashable, Sendable, CaseIterable {
    /// Not the syntax of this kind of proof: encoding, header, a missing member, a size.
    case malformed
    case badSignature = "bad-signature"
    /// Another device than the one that the request names.
    case wrongDevice = "wrong-device"
    case wrongAudience = "wrong-audience"
    case wrongTicket = "wrong-ticket"
    case wrongChallenge = "wrong-challenge"
    /// Another HTTP method or URL than the request's.
    case wrongRequest = "wrong-request"
    /// The body's digest is missing, not due, or another one.
    case wrongBody = "wrong-body"
    /// Signed too long ago, or in the future.
    case expired
}

/// SHA-256 (FIPS 180-4), 32 bytes; of a challenge's canonical content, a ticket or a body.
package func contentDigest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
