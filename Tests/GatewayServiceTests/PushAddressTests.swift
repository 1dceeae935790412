import DeviceAPI
import Domain
import Messaging
import Proofs
import Testing
import Wire

@testable import GatewayService

@Suite("Push addresses of phones")
struct PushAddressTests {
    private static let point = Base64URL.encode([4] + [UInt8](repeating: 7, count: 64))
    private static let auth = Base64URL.encode([UInt8](repeating: 7, count: 16))

    @Test("what a provider gives is kept")
    func good() throws {
        let registrations = [
            PushRegistration(transport: .apns, token: "0aF3", topic: "org.example.phone"),
            PushRegistration(transport: .fcm, token: "abc:DEF_-1"),
            PushRegistration(
                transport: .webpush, endpoint: "https://push.example/a?b", p256dh: Self.point, auth: Self.auth),
            PushRegistration(transport: .none),
        ]
        for registration in registrations {
            #expect(try Devices.address(registration).transport == registration.transport.rawValue)
        }
    }

    @Test(
        "what cannot be an address is refused by its member's name",
        arguments: [
            ("token", PushRegistration(transport: .apns, token: "not hex")),
            ("token", PushRegistration(transport: .apns, token: "abc")),
            ("token", PushRegistration(transport: .apns)),
            ("topic", PushRegistration(transport: .apns, token: "ab", topic: "a b")),
            ("token", PushRegistration(transport: .fcm, token: "a b")),
            ("topic", PushRegistration(transport: .fcm, token: "a", topic: "b")),
            ("endpoint", PushRegistration(transport: .webpush, endpoint: "http://a", p256dh: point, auth: auth)),
            ("endpoint", PushRegistration(transport: .webpush, endpoint: "not a url", p256dh: point, auth: auth)),
            ("endpoint", PushRegistration(transport: .webpush, endpoint: "https://u@a", p256dh: point, auth: auth)),
            ("endpoint", PushRegistration(transport: .webpush, endpoint: "https:///a", p256dh: point, auth: auth)),
            ("endpoint", PushRegistration(transport: .webpush, endpoint: "https://a/#b", p256dh: point, auth: auth)),
            ("endpoint", PushRegistration(transport: .webpush, endpoint: "https://a:0/", p256dh: point, auth: auth)),
            (
                "endpoint",
                PushRegistration(
                    transport: .webpush, endpoint: "https://8.8.8.8%00%40evil.example%2F.a/", p256dh: point, auth: auth)
            ),
            ("p256dh", PushRegistration(transport: .webpush, endpoint: "https://a", p256dh: auth, auth: auth)),
            ("auth", PushRegistration(transport: .webpush, endpoint: "https://a", p256dh: point, auth: point)),
        ])
    func bad(member: String, registration: PushRegistration) throws {
        let error = try #require(throws: ServiceError.self) { try Devices.address(registration) }
        #expect(error.code == .invalidValue && error.members["member"] == "push.\(member)")
    }
}
