import Authenticator
import Secrets

/// How phones hear of requests.
package enum Wake: Sendable, Equatable, CustomStringConvertible {
    /// Each holds an event stream.
    case streams
    /// None holds one: each is woken through the double of a push provider, which runs on this machine, and asks then.
    case push(Provider, folder: String)

    package enum Provider: String, Sendable, CaseIterable { case apns, fcm }

    package var description: String {
        switch self {
        case .streams: "streams"
        case .push(let provider, _): provider.rawValue
        }
    }
}

extension Wake.Provider {
    /// Bytes of a device token of APNs; what FCM gives is longer and may be anything.
    private static let tokenBytes = 32

    static func makeToken() -> String {
        randomBytes(tokenBytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }.joined()
    }

    func address(_ token: String) -> PushAddress {
        switch self {
        case .apns: .apns(token: token, topic: nil)
        case .fcm: .fcm(token: token)
        }
    }
}
