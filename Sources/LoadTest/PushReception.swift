import Authenticator
import Foundation
import Proofs
import Secrets

/// What one phone without an event stream is woken by.
struct PushReception: Sendable {
    let address: PushAddress
    /// The body of each message, empty where the provider does not seal it for the phone; several before it looks are one. Ends when the
    /// double does.
    let messages: AsyncStream<[UInt8]>
    /// Nil where messages are not sealed.
    fileprivate let keys: WebPushKeys?

    /// Throws for a message that is not sealed for this phone, or that names no request.
    func check(_ message: [UInt8]) throws {
        struct Hint: Decodable { let c: String }
        guard let keys else { return }
        let plain = Data(try keys.open(message))
        guard let hint = try? JSONDecoder().decode(Hint.self, from: plain), !hint.c.isEmpty else {
            throw ScenarioError("a message names no request")
        }
    }
}

/// Registers phones with the double of a provider, and hands them what it delivers.
struct Woken: Sendable {
    /// Bytes of a device token of APNs; what FCM gives is longer and may be anything.
    private static let tokenBytes = 32

    private enum Registry {
        case apns, fcm
        case webPush(PushService)
    }

    private let wakeUps: WakeUps
    private let registry: Registry

    /// Runs `work` while the double whose folder this is delivers.
    static func through<Value: Sendable>(
        _ provider: Wake.Provider, folder: String, _ work: @Sendable (Woken) async throws -> Value
    ) async throws -> Value {
        try await WakeUps.listening(to: provider, folder: folder) { wakeUps in
            switch provider {
            case .apns: try await work(Woken(wakeUps: wakeUps, registry: .apns))
            case .fcm: try await work(Woken(wakeUps: wakeUps, registry: .fcm))
            case .webpush:
                try await PushService.open(folder: folder) { service in
                    try await work(Woken(wakeUps: wakeUps, registry: .webPush(service)))
                }
            }
        }
    }

    /// Of one more phone.
    func register() async throws -> PushReception {
        switch registry {
        case .apns: reception { .apns(token: $0, topic: nil) }
        case .fcm: reception { .fcm(token: $0) }
        case .webPush(let service): try await reception(at: service)
        }
    }

    private func reception(_ address: (String) -> PushAddress) -> PushReception {
        let token = randomBytes(Self.tokenBytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }.joined()
        return PushReception(address: address(token), messages: wakeUps.messages(for: token), keys: nil)
    }

    private func reception(at service: PushService) async throws -> PushReception {
        let keys = WebPushKeys()
        let endpoint = try await service.subscribe()
        let address = PushAddress.webPush(
            endpoint: endpoint, p256dh: Base64URL.encode(keys.receiver.publicKey),
            auth: Base64URL.encode(keys.receiver.authenticationSecret))
        return PushReception(address: address, messages: wakeUps.messages(for: endpoint), keys: keys)
    }
}
