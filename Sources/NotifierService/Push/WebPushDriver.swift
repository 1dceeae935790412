package import Domain
import Foundation
import NIOHTTP1
import Proofs
import ServiceKit
import Synchronization

/// What sends Web Push messages under one VAPID key.
package struct WebPushSettings: Sendable {
    package let key: VAPIDKey
    package let targets: WebPushTargets

    package init(key: VAPIDKey, targets: WebPushTargets = WebPushTargets()) {
        self.key = key
        self.targets = targets
    }
}

/// Sends wake-ups as Web Push messages (RFC 8030), to browsers and to UnifiedPush distributors alike.
package final class WebPushDriver: PushDriver {
    package let transport = PushTransport.webpush
    /// What a subscription is bound to, in base64url.
    let applicationServerKey: String
    private let targets: WebPushTargets
    private let services: WebPushServices
    private let tokens: Mutex<VAPIDTokenCache>
    private let now: @Sendable () -> Timestamp

    package init(
        _ settings: WebPushSettings, _ provider: ProviderSettings,
        lookUp: @escaping @Sendable (String) async -> [String] = NameLookup.system
    ) {
        applicationServerKey = settings.key.publicKey
        targets = settings.targets
        services = WebPushServices(settings.targets, provider, lookUp: lookUp)
        tokens = Mutex(VAPIDTokenCache(settings.key))
        now = provider.now
    }

    package func shutdown() async { await services.shutdown() }

    /// A party is a push service.
    package func route(to address: Redacted<[UInt8]>, of tenant: TenantID) -> PushRoute {
        guard let subscription = WebPushSubscription(address) else {
            return PushRoute { _ in PushReport(.expiredAddress) }
        }
        guard let origin = targets.origin(of: subscription.endpoint),
            let resource = origin.resource(subscription.endpoint)
        else { return PushRoute { _ in PushReport(.foreignAddress) } }
        return PushRoute(party: origin.text) { wakeUp in
            await self.send(wakeUp, to: subscription.receiver, at: resource, of: origin)
        }
    }

    package func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        await route(to: address, of: wakeUp.tenant).send(wakeUp)
    }

    private func send(
        _ wakeUp: WakeUp, to receiver: WebPushReceiver, at resource: String, of origin: WebPushOrigin
    ) async -> PushReport {
        guard let body = try? Self.body(wakeUp, for: receiver) else { return PushReport(.expiredAddress) }
        do throws(WebPushServices.Problem) {
            for _ in 0..<WebPushServices.addressesMax {
                let service = try await services.service(for: origin)
                var isLeft = false
                let report = await service.gate.attempt(over: service.connection) {
                    let report = await attempt(wakeUp, resource, origin, body, over: service.connection)
                    guard report.outcome == .unreachable, await services.leave(service, of: origin) else {
                        return report
                    }
                    isLeft = true
                    // The service has not failed while another of its addresses may answer.
                    return PushReport(.paused(after: .zero))
                }
                guard isLeft else { return report }
            }
            return PushReport(.unreachable)
        } catch {
            switch error {
            case .noAddress: return PushReport(.unreachable)
            // The account has another driver by now.
            case .isShutDown: return PushReport(.paused(after: .zero))
            }
        }
    }

    private static func body(_ wakeUp: WakeUp, for receiver: WebPushReceiver) throws -> [UInt8] {
        struct Message: Encodable { let c: String }
        return try WebPushMessage.seal(
            Array(JSONEncoder().encode(Message(c: wakeUp.challenge.rawValue))), for: receiver)
    }

    private func attempt(
        _ wakeUp: WakeUp, _ resource: String, _ origin: WebPushOrigin, _ body: [UInt8],
        over connection: ProviderConnection
    ) async -> PushReport {
        let time = now()
        guard let authorization = try? tokens.withLock({ try $0.authorization(audience: origin.text, now: time) })
        else { return PushReport(.configuration) }
        let exchange = ProviderExchange(
            connection: connection,
            request: { () async throws(ProviderFailure) -> ProviderAnswer in
                let seconds = try wakeUp.secondsLeft(now: self.now())
                let headers: HTTPHeaders = [
                    "authorization": authorization,
                    "content-encoding": "aes128gcm",
                    "content-type": "application/octet-stream",
                    "ttl": "\(seconds)",
                    "urgency": wakeUp.isWithdrawal ? "normal" : "high",
                    "topic": wakeUp.collapseID,
                ]
                return try await connection.post(resource, headers: headers, body: body)
            },
            verdict: { WebPushAnswer.verdict($0, now: self.now()) }, reason: WebPushAnswer.reason,
            // A phone names the address: whatever is answered there is answered of that address.
            refusesAccount: { _ in false },
            renewToken: { .unchanged })
        return await exchange.report()
    }
}
