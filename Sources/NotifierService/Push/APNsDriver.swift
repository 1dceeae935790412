package import Domain
import Foundation
import NIOHTTP1
import Proofs
import Synchronization

/// What sends through APNs for one team's application.
package struct APNsSettings: Sendable {
    package static let productionURL = "https://api.push.apple.com"
    package static let sandboxURL = "https://api.sandbox.push.apple.com"

    package let key: APNsSigningKey
    /// The application's bundle id, for devices that did not say theirs.
    package let topic: String
    package let serverURL: String

    package init(key: APNsSigningKey, topic: String, serverURL: String = Self.productionURL) {
        self.key = key
        self.topic = topic
        self.serverURL = serverURL
    }
}

/// Sends wake-ups through the Apple Push Notification service ("Sending notification requests to APNs").
///
/// The person sees a notification whose words are the application's own (`loc-key`): the provider learns an opaque id and nothing else.
package final class APNsDriver: PushDriver {
    package let transport = PushTransport.apns
    let settings: APNsSettings
    private let connection: ProviderConnection
    private let gate: ProviderGate
    private let tokens: Mutex<APNsTokenCache>
    private let now: @Sendable () -> Timestamp

    package init(_ settings: APNsSettings, _ provider: ProviderSettings) {
        self.settings = settings
        connection = ProviderConnection(provider)
        gate = ProviderGate(.apns, provider)
        tokens = Mutex(APNsTokenCache(settings.key))
        now = provider.now
    }

    /// Wake-ups that wait for a stream.
    var waiting: Int { connection.line.waiting }

    package func shutdown() async { await connection.shutdown() }

    package func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        guard let address = Address(address) else { return PushReport(.expiredAddress) }
        // A phone's own topic says nothing of the one in the settings.
        return await gate.attempt(over: connection, provesAccount: address.topic == nil) {
            await attempt(wakeUp, address)
        }
    }

    private struct Address: Decodable {
        let token: String
        let topic: String?
        /// Milliseconds since 1970.
        let registeredAt: Int64?

        /// Nil when it is none. The token goes into a path: whatever is no hexadecimal digit could change that.
        init?(_ json: Redacted<[UInt8]>) {
            guard let members = try? JSONDecoder().decode(Self.self, from: Data(json.value)),
                !members.token.isEmpty, members.token.utf8.allSatisfy(Self.isHexDigit)
            else { return nil }
            self = members
        }

        private static func isHexDigit(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xDF)
        }
    }

    private func attempt(_ wakeUp: WakeUp, _ address: Address) async -> PushReport {
        guard var token = try? tokens.withLock({ try $0.token(now: now()) }) else { return PushReport(.configuration) }
        let body = APNsPayload.bytes(wakeUp)
        let exchange = ProviderExchange(
            connection: connection,
            request: { () async throws(ProviderFailure) in
                try await self.connection.post(
                    "\(self.settings.serverURL)/3/device/\(address.token)",
                    headers: self.headers(wakeUp, topic: address.topic, token: token), body: body)
            },
            verdict: { answer in
                let time = self.now()
                if APNsAnswer.wantsFormerToken(answer) {
                    self.tokens.withLock { $0.keepFormer(insteadOf: token, now: time) }
                }
                return APNsAnswer.verdict(
                    answer, now: time, registeredAt: address.registeredAt.map(Timestamp.init(milliseconds:)))
            }, reason: APNsAnswer.reason, refusesAccount: APNsAnswer.refusesAccount,
            renewToken: {
                let time = self.now()
                guard let other = try? self.tokens.withLock({ try $0.token(insteadOf: token, now: time) }) else {
                    return .unchanged
                }
                token = other
                return .renewed
            })
        return await exchange.report()
    }

    private func headers(_ wakeUp: WakeUp, topic: String?, token: String) -> HTTPHeaders {
        [
            "authorization": "bearer \(token)",
            "apns-topic": topic ?? settings.topic,
            "apns-push-type": wakeUp.isWithdrawal ? "background" : "alert",
            // What is in the background must leave the battery alone.
            "apns-priority": wakeUp.isWithdrawal ? "5" : "10",
            "apns-expiration": "\(wakeUp.expiresAt.seconds)",
            "apns-collapse-id": wakeUp.collapseID,
            "apns-id": wakeUp.messageID,
        ]
    }
}

/// `mutable-content` lets the application's extension fetch the request, signed, before anything is shown; `content-available` lets the
/// application fetch what is open, and take away what it shows of the rest. Each of the two texts is the same for everybody but for the id.
enum APNsPayload {
    private static let ring = #""alert":{"loc-key":"countersign.request"},"sound":"default","mutable-content":1"#
    private static let withdrawal = #""content-available":1"#

    static func bytes(_ wakeUp: WakeUp) -> [UInt8] {
        let aps = wakeUp.isWithdrawal ? withdrawal : ring
        return Array(#"{"aps":{\#(aps)},"c":\#(JSONValue.quoted(wakeUp.challenge.rawValue))}"#.utf8)
    }
}
