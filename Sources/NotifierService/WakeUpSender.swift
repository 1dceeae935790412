import Domain
import Logging
import Secrets
import ServiceKit
import Storage
import Telemetry

/// Sends the wake-ups that are owed through the drivers, apart from the requests that ask for them: a slow provider holds up nobody.
///
/// The store is the queue. A wake-up leaves it with its last attempt, so one that a killed or drained process did not end is sent by
/// the next; if it was sent already, the phone shows both as one, because a driver gives them the same collapse id.
final class WakeUpSender: Sendable {
    static let sealingPurpose = "wake-up-address"

    private let drivers: [PushTransport: any PushDriver]
    private let store: any Store<any NotifierRecords>
    private let sealer: Sealer
    private let configuration: NotifierConfiguration
    private let metrics: NotifierMetrics
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let pause: @Sendable (Duration) async throws -> Void
    private let owed = ChangeSignal()
    /// Each transport has its own, so that a provider that is slow holds up the wake-ups of no other.
    private let places: [PushTransport: SendingPlaces]

    init(_ given: NotifierService.Dependencies, configuration: NotifierConfiguration, metrics: NotifierMetrics) {
        drivers = Dictionary(given.drivers.map { ($0.transport, $0) }) { _, _ in
            preconditionFailure("a transport has one driver")
        }
        places = Dictionary(
            uniqueKeysWithValues: PushTransport.allCases.map { ($0, SendingPlaces(configuration.sendersMax)) })
        store = given.store
        sealer = given.sealer
        logger = given.logger
        now = given.now
        pause = given.pause
        self.configuration = configuration
        self.metrics = metrics
    }

    func hasDriver(_ transport: PushTransport, for tenant: TenantID) -> Bool {
        drivers[transport]?.serves(tenant) ?? false
    }

    /// More is owed: it has been committed.
    func wake() { owed.advance() }

    /// Sends what is owed, oldest first and a bounded number at a time, until cancelled. As many wait here as the store may hold.
    func run() async {
        await withDiscardingTaskGroup { group in
            var last: Int64 = 0
            while !Task.isCancelled {
                let seen = owed.count
                let wakeUps = await next(after: last)
                if wakeUps.isEmpty { await owed.wait(past: seen) }
                for wakeUp in wakeUps {
                    last = wakeUp.sequence
                    group.addTask { await self.deliver(wakeUp) }
                }
            }
        }
    }

    private func next(after last: Int64) async -> [WakeUpRecord] {
        let limit = configuration.sendersMax
        while !Task.isCancelled {
            do {
                return try await store.read { try $0.wakeUps(after: last, limit: limit) }
            } catch {
                logger.warning("owed wake-ups not read", metadata: ["error": "\(error)"])
            }
            // Cancelled while pausing: the loop's condition ends it.
            try? await pause(configuration.readPause)
        }
        return []
    }

    private func deliver(_ wakeUp: WakeUpRecord) async {
        var attempt = 1
        while let wait = await step(wakeUp, &attempt) {
            do { try await pause(wait) } catch { return }
        }
    }

    /// Makes one attempt, in one of the transport's places. Returns how long to wait for the next one, in no place; nil when there is none.
    private func step(_ wakeUp: WakeUpRecord, _ attempt: inout Int) async -> Duration? {
        guard let places = places[wakeUp.transport], await places.enter() else { return nil }
        defer { places.leave() }
        let start = now()
        guard start < wakeUp.expiresAt, let address = address(of: wakeUp) else {
            await end(wakeUp, nil)
            return nil
        }
        guard let driver = drivers[wakeUp.transport] else {
            await end(wakeUp, DeliveryRecord(wakeUp, outcome: "no_driver", at: start, latency: .zero))
            return nil
        }
        let outcome = await send(wakeUp, to: address, with: driver)
        // What the end of this process interrupted is the next one's to try.
        if Task.isCancelled, outcome != .delivered { return nil }
        report(outcome, wakeUp)
        let delivery = DeliveryRecord(wakeUp, outcome: outcome.label, at: start, latency: now() - start)
        guard let wait = configuration.wait(after: outcome, attempt: attempt), now() + wait < wakeUp.expiresAt else {
            await end(wakeUp, delivery)
            return nil
        }
        // The provider was not asked: that is no attempt.
        if case .paused = outcome { return wait }
        attempt += 1
        await record(delivery)
        return wait
    }

    private func report(_ outcome: PushOutcome, _ wakeUp: WakeUpRecord) {
        guard outcome == .configuration || outcome == .foreignAddress else { return }
        logger.error(
            "a push provider refuses our settings",
            metadata: [
                "tenant": "\(wakeUp.tenant)", "transport": "\(wakeUp.transport.rawValue)",
                "outcome": "\(outcome.label)",
            ])
    }

    /// Nil when it was sealed under a key that is gone.
    private func address(of wakeUp: WakeUpRecord) -> Redacted<[UInt8]>? {
        do {
            return Redacted(try sealer.open(wakeUp.sealedAddress, for: Self.sealingPurpose))
        } catch {
            logger.error("a push address cannot be opened", metadata: ["challenge": "\(wakeUp.challenge)"])
            return nil
        }
    }

    private func send(
        _ record: WakeUpRecord, to address: Redacted<[UInt8]>, with driver: any PushDriver
    ) async -> PushOutcome {
        let wakeUp = WakeUp(
            tenant: record.tenant, challenge: record.challenge, device: record.device, expiresAt: record.expiresAt)
        return await withTaskGroup(of: PushOutcome?.self) { group in
            group.addTask { await driver.send(wakeUp, to: address) }
            group.addTask { [pause, configuration] in
                do { try await pause(configuration.sendTimeout) } catch { return nil }
                return .timeout
            }
            defer { group.cancelAll() }
            for await outcome in group { if let outcome { return outcome } }
            return .timeout
        }
    }

    /// Writes one attempt down. A record that cannot be written is logged and does not stop the next attempt.
    private func record(_ delivery: DeliveryRecord) async {
        metrics.outcomes.increment(delivery.transport, delivery.outcome)
        await write(delivery.challenge) { try $0.append(delivery) }
    }

    /// Writes the last attempt down, if one was made, and with it that nothing is owed any more.
    private func end(_ wakeUp: WakeUpRecord, _ delivery: DeliveryRecord?) async {
        if let delivery { metrics.outcomes.increment(delivery.transport, delivery.outcome) }
        await write(wakeUp.challenge) { records in
            if let delivery { try records.append(delivery) }
            try records.deleteWakeUp(wakeUp.sequence)
        }
    }

    private func write(
        _ challenge: ChallengeID, _ body: @escaping @Sendable (any NotifierRecords) throws -> Void
    ) async {
        do {
            try await store.write(body)
        } catch {
            logger.warning("delivery not recorded", metadata: ["challenge": "\(challenge)", "error": "\(error)"])
        }
    }
}
