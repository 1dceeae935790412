import Domain
import Logging
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Telemetry
import Wire

/// Notify: tells the gateways that hold these devices' event streams, and rings the devices that none of them holds.
struct NotifyHandler: Sendable {
    static let challengeEvent = "challenge"
    static let settledEvent = "settled"

    let store: any Store<any NotifierRecords>
    let tenants: any Tenants
    let live: LiveListeners
    let sender: WakeUpSender
    let configuration: NotifierConfiguration
    let metrics: NotifierMetrics
    let now: @Sendable () -> Timestamp

    func handle(_ request: Notify, _ context: HandlerContext) async throws -> NotifyReply {
        guard request.event == Self.challengeEvent || request.event == Self.settledEvent,
            request.targets.count <= configuration.targetsMax
        else { throw ServiceError(.malformed, "the event is not one that is told") }
        let expiresAt = Timestamp(milliseconds: request.expiresAtMs)
        // A repeat from the outbox may come late: a phone is never shown what it cannot answer any more.
        if request.event == Self.challengeEvent, expiresAt <= now() { return NotifyReply() }

        var absent: [NotifyTarget] = []
        var liveCount: UInt32 = 0
        for target in request.targets {
            metrics.events.increment(request.event)
            if live.publish(event(request, target)) { liveCount += 1 } else { absent.append(target) }
        }
        if request.event == Self.challengeEvent { try await ring(absent, request, expiresAt) }
        return .with { $0.live = liveCount }
    }

    private func event(_ request: Notify, _ target: NotifyTarget) -> LiveEvent {
        .with {
            $0.deviceID = target.deviceID
            $0.event = request.event
            $0.challengeID = request.challengeID
            $0.purpose = request.purpose
            $0.content = request.content
            $0.expiresAtMs = request.expiresAtMs
            $0.status = request.status
        }
    }

    private func ring(_ targets: [NotifyTarget], _ request: Notify, _ expiresAt: Timestamp) async throws {
        let tenant = TenantID(request.tenant)
        let challenge = ChallengeID(request.challengeID)
        var jobs: [WakeUpSender.Job] = []
        for target in targets {
            guard let transport = PushTransport(rawValue: target.push.transport), transport != .none else { continue }
            let wakeUp = WakeUp(
                tenant: tenant, challenge: challenge, device: DeviceID(target.deviceID), expiresAt: expiresAt)
            jobs.append(.init(wakeUp: wakeUp, transport: transport, address: Redacted(Array(target.push.address))))
        }
        guard !jobs.isEmpty else { return }

        let limit = try tenants.tenant(tenant).settings.notificationsPerRequest
        for job in try await claimed(jobs, limit: limit, until: expiresAt + configuration.claimRetention) {
            let start = now()
            if !sender.hasDriver(job.transport) {
                await sender.record(job.wakeUp, transport: job.transport.rawValue, outcome: "no_driver", since: start)
            } else if !sender.enqueue(job) {
                await sender.record(job.wakeUp, transport: job.transport.rawValue, outcome: "overloaded", since: start)
            }
        }
    }

    /// Those that no earlier Notify of this challenge rang, as many as the tenant allows. Committed before anything is sent: a
    /// phone rings once even when the same event comes twice.
    private func claimed(_ jobs: [WakeUpSender.Job], limit: Int, until: Timestamp) async throws -> [WakeUpSender.Job] {
        try await store.write { records in
            try jobs.filter { job in
                try records.claim(
                    DeliveryClaim(
                        tenant: job.wakeUp.tenant, challenge: job.wakeUp.challenge, device: job.wakeUp.device,
                        keptUntil: until),
                    limit: limit)
            }
        }
    }
}
