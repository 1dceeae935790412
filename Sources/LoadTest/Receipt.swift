import DeviceAPI
import Domain
import Proofs

/// Checks a redeemed sign-in as an application would that trusts nobody: by the phone's own signature.
struct Receipt: Sendable {
    /// `{base}/{tenant}`.
    let audience: String
    /// The phone's public key: 0x04, x, y.
    let deviceKey: [UInt8]

    /// What is wrong; nil when the receipt is this phone's approval of this request with this number.
    func fault(in reply: RedeemReply, of challenge: ChallengeID, number: String) -> String? {
        guard let text = reply.receipt, let content = reply.receiptContent.flatMap({ Base64URL.decode($0) }),
            let document = reply.receiptKey
        else { return "receipt: missing" }
        guard let key = try? PublicKeyJWK(x963: deviceKey), document.x == key.x, document.y == key.y else {
            return "receipt: another key"
        }
        do {
            let claims = try DeviceAnswer(text).verify(key: key, audience: audience, challenge: challenge)
            guard claims.decision == .approve, claims.number == number else { return "receipt: another answer" }
            guard claims.contentDigest == contentDigest(content) else { return "receipt: another content" }
            return nil
        } catch {
            return "receipt: \(error)"
        }
    }
}
