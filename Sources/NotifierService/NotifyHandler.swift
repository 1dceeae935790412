import Domain
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Telemetry
import Wire

/// Notify: tells the gateways that hold these devices' event streams, and rings the devices that none of them holds.
struct NotifyHandler: Sendable {
    let store: any Store<any NotifierRecords>
    let tenants: any Tenants
    let sealer: Sealer
    let live: LiveListeners
    let sender: WakeUpSender
    let owed: OwedWakeUps
    let configuration: NotifierConfiguration
    let metrics: NotifierMetrics
    let now: @Sendable () -> Timestamp

    func handle(_ request: Notify, _ context: HandlerContext) async throws -> NotifyReply {
        guard let kind = DeviceEvent(rawValue: request.event), request.targets.count <= configuration.targetsMax
        else { throw ServiceError(.malformed, "the event is not one that is told") }
        let time = now()
        // A peer's number: bounded before anything is added to it.
        let expiresAt = min(Timestamp(milliseconds: request.expiresAtMs), time + configuration.lifetimeMax)
        // A repeat from the outbox may come late: a phone is never shown what it cannot answer any more.
        if kind == .challenge, expiresAt <= time { return NotifyReply() }

        var absent: [NotifyTarget] = []
        var liveCount: UInt32 = 0
        for target in request.targets {
            metrics.events.increment(request.event)
            if live.publish(event(request, target)) { liveCount += 1 } else { absent.append(target) }
        }
        switch kind {
        case .challenge: try await ring(absent, request, expiresAt)
        case .settled: try await withdraw(request, absent, expiresAt)
        }
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

    /// The request is settled: what is still owed for it would ring for nothing, and whom it has rung, but for the device that answered,
    /// still shows it. The outbox may tell of the end first and of the request later: then that rings nobody who is absent now.
    private func withdraw(_ request: Notify, _ absent: [NotifyTarget], _ expiresAt: Timestamp) async throws {
        let (tenant, challenge, time) = (TenantID(request.tenant), ChallengeID(request.challengeID), now())
        let device = request.answeredBy.isEmpty ? nil : DeviceID(request.answeredBy)
        let targets = sender.hasDriver(for: tenant) ? absent : []
        if targets.isEmpty, try await !store.lookUp({ try $0.holdsWakeUps(of: challenge, tenant: tenant) }) { return }
        try await store.write { [configuration] records in
            try records.withdrawWakeUps(of: challenge, tenant: tenant, answeredBy: device, at: time)
            for target in targets {
                _ = try records.claim(
                    DeliveryClaim(
                        tenant: tenant, challenge: challenge, device: DeviceID(target.deviceID),
                        keptUntil: expiresAt + configuration.claimRetention), limit: .max)
            }
        }
        sender.wake()
    }

    private func ring(_ targets: [NotifyTarget], _ request: Notify, _ expiresAt: Timestamp) async throws {
        let tenant = TenantID(request.tenant)
        var wakeUps: [WakeUpRecord] = []
        for target in targets {
            guard let transport = PushTransport(rawValue: target.push.transport), transport != .none else { continue }
            let address = Redacted(Array(target.push.address))
            wakeUps.append(
                WakeUpRecord(
                    tenant: tenant, challenge: ChallengeID(request.challengeID), device: DeviceID(target.deviceID),
                    transport: transport, service: transport.service(of: address),
                    sealedAddress: try sealer.seal(address.value, for: WakeUpLine.sealingPurpose),
                    expiresAt: expiresAt, dueAt: now()))
        }
        guard !wakeUps.isEmpty else { return }
        let limit = try tenants.tenant(tenant).settings.notificationsPerRequest
        let refused = try await claim(wakeUps, limit: limit, until: expiresAt + configuration.claimRetention)
        for delivery in refused {
            metrics.outcomes.increment(delivery.transport, delivery.outcome, PushPurpose.ring.rawValue)
        }
        sender.wake()
    }

    /// Takes those that no earlier Notify of this challenge has taken, and returns those of them that cannot be sent. As many as the tenant
    /// allows get a place and are rung; the others are in reserve for a place that one of those cannot use. What is owed is stored in
    /// the transaction that claims it: from then on repeats ring nobody, so nothing but the store may know that somebody is still to
    /// be rung.
    private func claim(_ wakeUps: [WakeUpRecord], limit: Int, until: Timestamp) async throws -> [DeliveryRecord] {
        let time = now()
        let shares = try await owed.shares(at: time)
        let (appended, refused) = try await store.write { records in
            var line = shares
            var (appended, refused): ([WakeUpRecord], [DeliveryRecord]) = ([], [])
            for wakeUp in wakeUps {
                let claim = DeliveryClaim(
                    tenant: wakeUp.tenant, challenge: wakeUp.challenge, device: wakeUp.device, keptUntil: until)
                let refusal = refusal(wakeUp, line)
                // One that cannot be sent rings nobody: the place is another's.
                switch try records.claim(claim, limit: refusal == nil ? limit : 0) {
                case .repeated: continue
                case .place:
                    try records.append(wakeUp)
                    line.add(wakeUp)
                    appended.append(wakeUp)
                case .noPlace:
                    if let refusal {
                        refused.append(DeliveryRecord(wakeUp, refusal, at: time))
                    } else {
                        try records.append(wakeUp.inReserve)
                    }
                }
            }
            for delivery in refused { try records.append(delivery) }
            return (appended, refused)
        }
        owed.added(appended)
        return refused
    }

    /// Why it cannot be sent; nil when it can.
    private func refusal(_ wakeUp: WakeUpRecord, _ line: OwedShares) -> UnansweredOutcome? {
        guard sender.hasDriver(wakeUp.transport, for: wakeUp.tenant) else { return .noDriver }
        return line.hasRoom(for: wakeUp) ? nil : .overloaded
    }
}
