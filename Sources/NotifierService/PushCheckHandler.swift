import Domain
import Messaging
import Proofs
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

/// TestPush: rings one device for an administrator, and says what its provider answered. ReadPushKey: whom a browser subscribes for.
struct PushCheckHandler: Sendable {
    /// As long as a check's wake-up is of use.
    private static let lifetime = Duration.seconds(60)
    private static let idBytes = 18
    /// What the reply takes to the administrator who waits for it.
    private static let replyTime = Duration.milliseconds(300)

    let push: PushSender
    let store: any Store<any NotifierRecords>
    let configuration: NotifierConfiguration
    let now: @Sendable () -> Timestamp
    let applicationServerKey: @Sendable (TenantID) -> String?

    /// Throws `malformed` for a transport that has no provider. A provider's refusal is a reply.
    func handle(_ request: TestPush, _ context: HandlerContext) async throws -> TestPushReply {
        guard let transport = PushTransport(rawValue: request.push.transport), transport != .none else {
            throw ServiceError(.malformed, "the device has no push address")
        }
        // Follows from the request, so that a repeat takes the first one's place at the device.
        let digest = sha256(Array("push check \(context.call.requestID)".utf8))
        let aim = PushAim(
            wakeUp: WakeUp(
                tenant: TenantID(request.tenant),
                challenge: ChallengeID(Base64URL.encode(Array(digest.prefix(Self.idBytes)))),
                device: DeviceID(request.deviceID),
                expiresAt: now() + Self.lifetime),
            transport: transport, address: Redacted(Array(request.push.address)))
        guard let route = push.route(transport, to: aim.address, of: aim.wakeUp.tenant) else {
            return .with { $0.outcome = UnansweredOutcome.noDriver.rawValue }
        }
        let attempt = await push.attempt(aim, over: route, timeout: configuration.checkTimeout)
        push.count(attempt.delivery, .check)
        guard !attempt.isInterrupted else { throw ServiceError(.unavailable, "the notifier is stopping") }
        try await store.write { try $0.append(attempt.delivery) }
        if attempt.report.dropsAddress {
            await push.drop(aim, by: context.call.deadline - Self.replyTime)
        }
        return .with {
            $0.outcome = attempt.report.outcome.label
            $0.status = UInt32(clamping: attempt.report.status ?? 0)
            $0.reason = attempt.report.reason ?? ""
            $0.latencyMs = UInt32(clamping: attempt.delivery.latency.milliseconds)
        }
    }

    func key(_ request: ReadPushKey, _ context: HandlerContext) -> ReadPushKeyReply {
        .with { $0.applicationServerKey = applicationServerKey(TenantID(request.tenant)) ?? "" }
    }
}
