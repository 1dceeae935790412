package import Domain

/// What a phone signs for one HTTP request.
package struct DeviceProofClaims: Hashable, Sendable {
    package static let type = "countersign-device+jws"
    /// A `jti` has at least 128 random bits; more than this many bytes only fill the store.
    package static let identifierBytes = 16...256

    /// `htm`.
    package let method: String
    /// `htu`: the full URL without query.
    package let url: String
    package let issuedAt: Timestamp
    /// `jti`, decoded: used once.
    package let identifier: [UInt8]
    /// `bdh`: SHA-256 of the body, when there is one.
    package let bodyDigest: [UInt8]?

    package init(method: String, url: String, issuedAt: Timestamp, identifier: [UInt8], bodyDigest: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.issuedAt = issuedAt
        self.identifier = identifier
        self.bodyDigest = bodyDigest
    }

    /// The compact JWS, for `Authorization: DeviceProof`.
    package func signed(by signer: any DeviceSigner, device: DeviceID) async throws -> String {
        let digest = bodyDigest.map { #","bdh":"\#(Base64URL.encode($0))""# } ?? ""
        let payload = """
            {"htm":\(JSONValue.quoted(method)),"htu":\(JSONValue.quoted(url)),"iat":\(issuedAt.seconds),\
            "jti":"\(Base64URL.encode(identifier))"\(digest)}
            """
        return try await CompactJWS.sign(payload: payload, type: Self.type, key: .device(device), by: signer)
    }
}

/// The HTTP request that a proof must have been made for.
package struct ProvenRequest: Hashable, Sendable {
    package let method: String
    package let url: String
    /// SHA-256 of the body; nil when there is none.
    package let bodyDigest: [UInt8]?

    package init(method: String, url: String, bodyDigest: [UInt8]?) {
        self.method = method
        self.url = url
        self.bodyDigest = bodyDigest
    }
}

/// A device proof as it came: it names its device, and shows its claims only to who has that device's key.
package struct DeviceProof: Sendable {
    /// `kid`: which key to look up. Not yet proven.
    package let device: DeviceID
    private let jws: CompactJWS
    private let claims: DeviceProofClaims

    /// Throws `malformed`.
    package init(_ text: String) throws(ProofError) {
        jws = try CompactJWS(text, type: DeviceProofClaims.type)
        guard case .device(let device) = jws.keyReference,
            let identifier = Base64URL.decode(try jws.string("jti")),
            DeviceProofClaims.identifierBytes.contains(identifier.count)
        else { throw .malformed }
        self.device = device
        claims = DeviceProofClaims(
            method: try jws.string("htm"), url: try jws.string("htu"), issuedAt: try jws.issuedAt(),
            identifier: identifier,
            bodyDigest: jws.payload["bdh"] == nil ? nil : try jws.digest("bdh"))
    }

    /// The claims, once `key` signed them for `request`. Throws, in this order, `badSignature`, `wrongRequest`, `wrongBody`, and
    /// `expired` when `iat` is further than `skew` from `now`. Whether the identifier was used before is for a store to say.
    package func verify(
        key: PublicKeyJWK, request: ProvenRequest, now: Timestamp, skew: Duration
    ) throws(ProofError) -> DeviceProofClaims {
        guard jws.isSigned(by: key) else { throw .badSignature }
        guard claims.method == request.method, claims.url == request.url else { throw .wrongRequest }
        guard claims.bodyDigest == request.bodyDigest else { throw .wrongBody }
        guard claims.issuedAt.agrees(with: now, within: skew) else { throw .expired }
        return claims
    }
}
