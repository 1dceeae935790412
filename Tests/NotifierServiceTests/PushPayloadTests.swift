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
        let bytes = Data(FCMMessage.bytes(Self.wakeUp, token: "token-1", seconds: 60))
        let payload = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
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

    @Test("what is left of its time is counted in whole seconds to its end, and after that nothing is sent")
    func secondsLeft() throws {
        let end = Self.wakeUp.expiresAt
        for (left, seconds) in [(60_000, 60), (1999, 1), (1000, 1), (999, 0), (1, 0)] as [(Int64, Int64)] {
            #expect(try Self.wakeUp.secondsLeft(now: end - .milliseconds(left)) == seconds)
        }
        for late in [0, 1, 60_000] as [Int64] {
            #expect(throws: ProviderFailure.notAsked) {
                try Self.wakeUp.secondsLeft(now: end + .milliseconds(late))
            }
        }
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
