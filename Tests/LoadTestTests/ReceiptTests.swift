import DeviceAPI
import Domain
import Proofs
import Testing

@testable import LoadTest

@Suite struct ReceiptTests {
    private let phone = SoftwareDeviceSigner()
    private let challenge = ChallengeID("request")
    private let content = Array(#"{"challenge":"request"}"#.utf8)

    private var receipt: Receipt {
        Receipt(audience: "https://id.example.org/acme", deviceKey: phone.publicKey.x963)
    }

    private func answer(
        _ choice: AnswerClaims.Choice, audience: String = "https://id.example.org/acme",
        challenge: String = "request", by signer: SoftwareDeviceSigner? = nil
    ) async throws -> String {
        try await AnswerClaims(
            audience: audience, challenge: ChallengeID(challenge), choice: choice,
            contentDigest: contentDigest(content), issuedAt: Timestamp(milliseconds: 1_795_473_632_000)
        ).signed(by: signer ?? phone, device: DeviceID("phone"))
    }

    private func reply(_ answer: String?, content: [UInt8]? = nil, key: SoftwareDeviceSigner? = nil) -> RedeemReply {
        let key = (key ?? phone).publicKey
        return RedeemReply(
            user: RedeemedUser(id: "p", username: "load-1", displayName: ""), method: .push, amr: [], acr: "",
            authTime: Timestamp(milliseconds: 0), receipt: answer,
            receiptContent: Base64URL.encode(content ?? self.content),
            receiptKey: PublicKeyDocument(kty: "EC", crv: "P-256", x: key.x, y: key.y))
    }

    @Test("a receipt is this phone's approval, of this request, with this number, of what was shown")
    func genuine() async throws {
        let approval = try await answer(.approve(number: "42", userVerified: false))
        #expect(receipt.fault(in: reply(approval), of: challenge, number: "42") == nil)
    }

    @Test("whatever else comes as a receipt is a fault that says what is wrong")
    func faults() async throws {
        let approval = try await answer(.approve(number: "42", userVerified: false))
        let stranger = SoftwareDeviceSigner()
        func fault(_ reply: RedeemReply, _ number: String = "42") -> String? {
            receipt.fault(in: reply, of: challenge, number: number)
        }
        #expect(fault(reply(nil)) == "receipt: missing")
        #expect(fault(reply(approval, key: stranger)) == "receipt: another key")
        #expect(fault(reply(approval), "43") == "receipt: another answer")
        #expect(fault(reply(try await answer(.decline()))) == "receipt: another answer")
        #expect(fault(reply(approval, content: [])) == "receipt: another content")
        for forged in [
            try await answer(.approve(number: "42", userVerified: false), by: stranger),
            try await answer(.approve(number: "42", userVerified: false), audience: "https://id.example.org/other"),
            try await answer(.approve(number: "42", userVerified: false), challenge: "another"),
            String(approval.dropLast(4)), "no receipt",
        ] {
            #expect(fault(reply(forged))?.hasPrefix("receipt: ") == true)
        }
    }
}
