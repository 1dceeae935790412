import Domain
import Proofs
import Testing

@Suite("Proofs that this phone signs")
struct RoundTripTests {
    let signer = SoftwareDeviceSigner()
    let now = Timestamp(seconds: 1_750_000_000)

    @Test("a device proof carries its claims to who has the key")
    func deviceProof() async throws {
        let digest = contentDigest(Array("{}".utf8))
        let claims = DeviceProofClaims(
            method: "PATCH", url: "https://id.example/v1/demo/devices/d1", issuedAt: now, identifier: Array(0..<16),
            bodyDigest: digest)
        let proof = try DeviceProof(try await claims.signed(by: signer, device: DeviceID("d1")))
        #expect(proof.device == DeviceID("d1"))
        let request = ProvenRequest(method: "PATCH", url: "https://id.example/v1/demo/devices/d1", bodyDigest: digest)
        #expect(try proof.verify(key: signer.publicKey, request: request, now: now, skew: .seconds(60)) == claims)
        #expect(throws: ProofError.badSignature) {
            try proof.verify(key: SoftwareDeviceSigner().publicKey, request: request, now: now, skew: .seconds(60))
        }
    }

    @Test(
        "an answer carries its claims to who has the key",
        arguments: [
            AnswerClaims.Choice.approve(number: "042", userVerified: true), .decline(), .report(userVerified: true),
        ])
    func answer(_ choice: AnswerClaims.Choice) async throws {
        let claims = AnswerClaims(
            audience: "https://id.example/\"quoted\\ä", challenge: ChallengeID("c1"), choice: choice,
            contentDigest: contentDigest([1]),
            issuedAt: now)
        let answer = try DeviceAnswer(try await claims.signed(by: signer, device: DeviceID("d\"1")))
        #expect(answer.device == DeviceID("d\"1"))
        #expect(
            try answer.verify(key: signer.publicKey, audience: claims.audience, challenge: claims.challenge) == claims)
    }

    @Test("an activation gives the key whose possession it shows")
    func activation() async throws {
        let proof = try await ActivationClaims(audience: "https://id.example/demo", ticket: "t", issuedAt: now).signed(
            by: signer)
        let key = try ActivationClaims.verify(
            proof, audience: "https://id.example/demo", ticket: "t", now: now, skew: .seconds(60))
        #expect(key == signer.publicKey)
    }

    @Test("one kind of proof is never another kind")
    func kinds() async throws {
        let proof = try await DeviceProofClaims(method: "GET", url: "u", issuedAt: now, identifier: Array(0..<16))
            .signed(by: signer, device: DeviceID("d1"))
        #expect(throws: ProofError.malformed) { try DeviceAnswer(proof) }
        #expect(throws: ProofError.malformed) {
            try ActivationClaims.verify(proof, audience: "a", ticket: "t", now: now, skew: .seconds(60))
        }
    }

    @Test("a private key survives its storage")
    func storedKey() throws {
        #expect(try SoftwareDeviceSigner(rawRepresentation: signer.rawRepresentation).publicKey == signer.publicKey)
        #expect(throws: ProofError.malformed) { try SoftwareDeviceSigner(rawRepresentation: [0]) }
        #expect(throws: ProofError.malformed) {
            try SoftwareDeviceSigner(rawRepresentation: [UInt8](repeating: 0, count: 32))
        }
    }

    @Test("a JWK reads what it wrote")
    func jwk() throws {
        #expect(try PublicKeyJWK(json: signer.publicKey.json) == signer.publicKey)
    }

    @Test("the thumbprint is that of RFC 7638 over the required members in order")
    func thumbprint() throws {
        // RFC 7515 appendix A.3's key; the thumbprint was computed with joserfc.
        let jwk = """
            {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
            """
        #expect(try PublicKeyJWK(json: jwk).thumbprint == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")
    }
}
