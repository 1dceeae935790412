package import Domain

/// What a phone signs to activate: it holds the private key of the `jwk` in the header, here and now, for this ticket.
package struct ActivationClaims: Hashable, Sendable {
    package static let type = "countersign-activation+jws"

    /// `{base}/{tenant}`.
    package let audience: String
    /// SHA-256 of the ticket's text.
    package let ticketDigest: [UInt8]
    package let issuedAt: Timestamp

    package init(audience: String, ticket: String, issuedAt: Timestamp) {
        self.init(audience: audience, ticketDigest: contentDigest(Array(ticket.utf8)), issuedAt: issuedAt)
    }

    private init(audience: String, ticketDigest: [UInt8], issuedAt: Timestamp) {
        self.audience = audience
        self.ticketDigest = ticketDigest
        self.issuedAt = issuedAt
    }

    /// The compact JWS.
    package func signed(by signer: any DeviceSigner) async throws -> String {
        let payload = """
            {"aud":\(JSONValue.quoted(audience)),"ticket":"\(Base64URL.encode(ticketDigest))","iat":\(issuedAt.seconds)}
            """
        return try await CompactJWS.sign(
            payload: payload, type: Self.type, key: .embedded(signer.publicKey), by: signer)
    }

    /// The key whose possession `proof` shows. Throws, in this order, `malformed`, `badSignature`, `wrongAudience`,
    /// `wrongTicket`, and `expired` when `iat` is further than `skew` from `now`.
    package static func verify(
        _ proof: String, audience: String, ticket: String, now: Timestamp, skew: Duration
    ) throws(ProofError) -> PublicKeyJWK {
        let jws = try CompactJWS(proof, type: Self.type)
        guard case .embedded(let key) = jws.keyReference else { throw .malformed }
        let claims = ActivationClaims(
            audience: try jws.string("aud"), ticketDigest: try jws.digest("ticket"), issuedAt: try jws.issuedAt())
        guard jws.isSigned(by: key) else { throw .badSignature }
        guard claims.audience == audience else { throw .wrongAudience }
        guard claims.ticketDigest == contentDigest(Array(ticket.utf8)) else { throw .wrongTicket }
        guard claims.issuedAt.agrees(with: now, within: skew) else { throw .expired }
        return key
    }
}
