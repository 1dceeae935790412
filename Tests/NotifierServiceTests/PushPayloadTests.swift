import Domain
import Foundation
import Testing

@testable import NotifierService

@Suite("What providers get to see")
struct PushPayloadTests {
    private static let wakeUp = WakeUp(
        tenant: TenantID("tenant-of-alice"), challenge: ChallengeID("mN0pQ7rS3tUvWx1yZaBcDeFg"),
        device: DeviceID("device-of-alice"), expiresAt: Timestamp(seconds: 1_750_000_060))

    @Test("APNs gets words that the application has, and the request's opaque id")
    func apns() throws {
        let bytes = Data(APNsPayload.bytes(Self.wakeUp))
        let payload = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        let expected: [String: Any] = [
            "aps": ["alert": ["loc-key": "countersign.request"], "sound": "default", "mutable-content": 1],
            "c": "mN0pQ7rS3tUvWx1yZaBcDeFg",
        ]
        #expect(payload as NSDictionary == expected as NSDictionary)
    }

    @Test("FCM gets the address, the request's opaque id and how long it is of use")
    func fcm() throws {
        let message = FCMMessage(Self.wakeUp, token: "token-1", now: Timestamp(seconds: 1_750_000_000))
        let payload = try #require(try JSONSerialization.jsonObject(with: Data(message.json())) as? [String: Any])
        let expected: [String: Any] = [
            "message": [
                "token": "token-1", "data": ["c": "mN0pQ7rS3tUvWx1yZaBcDeFg"],
                "android": [
                    "priority": "HIGH", "ttl": "60s", "collapse_key": Self.wakeUp.collapseID, "direct_boot_ok": false,
                ],
            ]
        ]
        #expect(payload as NSDictionary == expected as NSDictionary)
    }

    @Test("the ids that providers see are the same for a repeat, fit every provider, and say nothing")
    func ids() {
        let (collapse, message) = (Self.wakeUp.collapseID, Self.wakeUp.messageID)
        #expect(collapse.utf8.count == 32)
        #expect(collapse != Self.wakeUp.challenge.rawValue)
        // SHA-256 of both ids, with the version and the variant of RFC 9562 section 5.8.
        #expect(message == "6e05ddab-9e39-85bb-991a-f67e14d1b7ba")
        #expect(Self.wakeUp.messageID == message)
        let other = WakeUp(
            tenant: Self.wakeUp.tenant, challenge: Self.wakeUp.challenge, device: DeviceID("other"),
            expiresAt: Self.wakeUp.expiresAt)
        #expect(other.collapseID == collapse && other.messageID != message)
    }
}
