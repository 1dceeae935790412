package import Domain

/// What a phone signs when its person decides: the decision, the number as typed, and a digest of exactly what was shown.
package struct AnswerClaims: Hashable, Sendable {
    package static let type = "countersign-answer+jws"
    /// Room for every length that a policy can ask for; whether the number is the right one is not decided here.
    package static let numberDigits = 1...10

    /// `{base}/{tenant}`.
    package let audience: String
    package let challenge: ChallengeID
    package let decision: Decision
    /// As typed; with `approve` only.
    package let number: String?
    /// SHA-256 of the content bytes that were shown.
    package let contentDigest: [UInt8]
    package let issuedAt: Timestamp
    /// Whether the phone verified its person (biometrics or its code) for this answer.
    package let userVerified: Bool

    package init(
        audience: String, challenge: ChallengeID, choice: Choice, contentDigest: [UInt8], issuedAt: Timestamp
    ) {
        self.audience = audience
        self.challenge = challenge
        decision = choice.decision
        number = choice.number
        userVerified = choice.userVerified
        self.contentDigest = contentDigest
        self.issuedAt = issuedAt
    }

    /// What the person did.
    package struct Choice: Hashable, Sendable {
        package let decision: Decision
        package let number: String?
        package let userVerified: Bool

        package static func approve(number: String, userVerified: Bool) -> Choice {
            Choice(decision: .approve, number: number, userVerified: userVerified)
        }
        package static func decline(userVerified: Bool = false) -> Choice {
            Choice(decision: .decline, number: nil, userVerified: userVerified)
        }
        package static func report(userVerified: Bool = false) -> Choice {
            Choice(decision: .report, number: nil, userVerified: userVerified)
        }
    }

    /// The compact JWS.
    package func signed(by signer: any DeviceSigner, device: DeviceID) async throws -> String {
        let typed = number.map { #","number":\#(JSONValue.quoted($0))"# } ?? ""
        let payload = """
            {"aud":\(JSONValue.quoted(audience)),"challenge":\(JSONValue.quoted(challenge.rawValue)),\
            "decision":"\(decision.rawValue)"\(typed),"content":"\(Base64URL.encode(contentDigest))",\
            "iat":\(issuedAt.seconds),"uv":\(userVerified)}
            """
        return try await CompactJWS.sign(payload: payload, type: Self.type, key: .device(device), by: signer)
    }
}

/// An answer as it came: it names its device, and shows its claims only to who has that device's key.
package struct DeviceAnswer: Sendable {
    /// `kid`: which key to look up. Not yet proven.
    package let device: DeviceID
    private let jws: CompactJWS
    private let claims: AnswerClaims

    /// Throws `malformed`.
    package init(_ text: String) throws(ProofError) {
        jws = try CompactJWS(text, type: AnswerClaims.type)
        guard case .device(let device) = jws.keyReference else { throw .malformed }
        self.device = device
        claims = AnswerClaims(
            audience: try jws.string("aud"), challenge: ChallengeID(try jws.string("challenge")),
            choice: try Self.choice(jws),
            contentDigest: try jws.digest("content"), issuedAt: try jws.issuedAt())
    }

    private static func choice(_ jws: CompactJWS) throws(ProofError) -> AnswerClaims.Choice {
        guard let decision = Decision(rawValue: try jws.string("decision")) else { throw .malformed }
        var userVerified = false
        if let member = jws.payload["uv"] {
            guard let value = member.flag else { throw .malformed }
            userVerified = value
        }
        switch decision {
        case .decline: return .decline(userVerified: userVerified)
        case .report: return .report(userVerified: userVerified)
        case .approve:
            let number = try jws.string("number")
            guard AnswerClaims.numberDigits.contains(number.utf8.count),
                number.utf8.allSatisfy({ (0x30...0x39).contains($0) })
            else { throw .malformed }
            return .approve(number: number, userVerified: userVerified)
        }
    }

    /// The claims, once `key` signed them for this audience and challenge. Throws, in this order, `badSignature`,
    /// `wrongAudience`, `wrongChallenge`. `iat` is recorded, not judged: the challenge's own lifetime decides.
    package func verify(key: PublicKeyJWK, audience: String, challenge: ChallengeID) throws(ProofError) -> AnswerClaims
    {
        guard jws.isSigned(by: key) else { throw .badSignature }
        guard claims.audience == audience else { throw .wrongAudience }
        guard claims.challenge == challenge else { throw .wrongChallenge }
        return claims
    }
}
