package import Domain
import Foundation
import NIOHTTP1

/// What sends through FCM for one Firebase project.
package struct FCMSettings: Sendable {
    package static let googleURL = "https://fcm.googleapis.com"

    package let account: FCMServiceAccount
    package let serverURL: String

    package init(account: FCMServiceAccount, serverURL: String = Self.googleURL) {
        self.account = account
        self.serverURL = serverURL
    }
}

/// Sends wake-ups through Firebase Cloud Messaging, HTTP v1: data messages, so that the application itself shows what it has fetched.
package final class FCMDriver: PushDriver {
    package let transport = PushTransport.fcm
    private let settings: FCMSettings
    private let connection: ProviderConnection
    private let gate: ProviderGate
    private let accessToken: FCMAccessToken
    private let now: @Sendable () -> Timestamp

    package init(_ settings: FCMSettings, _ provider: ProviderSettings) {
        self.settings = settings
        connection = ProviderConnection(provider)
        gate = ProviderGate(.fcm, provider)
        accessToken = FCMAccessToken(settings.account, connection, now: provider.now)
        now = provider.now
    }

    package func shutdown() async { await connection.shutdown() }

    package func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        struct Address: Decodable { let token: String }
        guard let address = try? JSONDecoder().decode(Address.self, from: Data(address.value)) else {
            return PushReport(.expiredAddress)
        }
        return await gate.attempt(over: connection) { await attempt(wakeUp, token: address.token) }
    }

    private func attempt(_ wakeUp: WakeUp, token: String) async -> PushReport {
        var access: String
        switch await accessToken.get() {
        case .token(let text): access = text
        case .none(let report): return report
        }
        let exchange = ProviderExchange(
            connection: connection,
            request: { () async throws(ProviderFailure) -> ProviderAnswer in
                let seconds = try wakeUp.secondsLeft(now: self.now())
                return try await self.connection.post(
                    "\(self.settings.serverURL)/v1/projects/\(self.settings.account.projectID)/messages:send",
                    headers: ["authorization": "Bearer \(access)", "content-type": "application/json"],
                    body: FCMMessage.bytes(wakeUp, token: token, seconds: seconds))
            },
            verdict: { FCMAnswer.verdict($0, now: self.now()) }, reason: FCMAnswer.reason,
            refusesAccount: FCMAnswer.refusesAccount,
            renewToken: {
                switch await self.accessToken.get(insteadOf: access) {
                case .token(let other): access = other
                // A token endpoint that is busy is no wrong account.
                case .none(let report): return .failed(report)
                }
                return .renewed
            })
        return await exchange.report()
    }
}

/// A data message of high priority: it wakes the application of a phone that sleeps. A withdrawal has nothing to show, and high priority
/// is taken from applications that show nothing.
enum FCMMessage {
    /// `seconds` is what is left of its time.
    static func bytes(_ wakeUp: WakeUp, token: String, seconds: Int64) -> [UInt8] {
        let priority = wakeUp.isWithdrawal ? "NORMAL" : "HIGH"
        let android =
            #"{"priority":"\#(priority)","ttl":"\#(seconds)s","collapse_key":"\#(wakeUp.collapseID)","#
            + #""direct_boot_ok":false}"#
        let (id, token) = (JSONValue.quoted(wakeUp.challenge.rawValue), JSONValue.quoted(token))
        return Array(#"{"message":{"token":\#(token),"data":{"c":\#(id)},"android":\#(android)}}"#.utf8)
    }
}
