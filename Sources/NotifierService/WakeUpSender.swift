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

    init(_ given: NotifierService.Dependencies, configuration: NotifierConfiguration, metrics: NotifierMetrics) {
        drivers = Dictionary(given.drivers.map { ($0.transport, $0) }) { _, _ in
            preconditionFailure("a transport has one driver")
        }
        store = given.store
        sealer = given.sealer
        logger = given.logger
        now = given.now
        pause = given.pause
        self.configuration = configuration
        self.metrics = metrics
    }

    func hasDriver(_ transport: PushTransport) -> Bool { drivers[transport] != nil }

    /// More is owed: it has been committed.
    func wake() { owed.advance() }

    /// Sends what is owed, oldest first and a bounded number at a time, until cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            var last: Int64 = 0
            while !Task.isCancelled {
                let seen = owed.count
                let wakeUps = await next(after: last)
                if wakeUps.isEmpty { await owed.wait(past: seen) }
                for wakeUp in wakeUps {
                    if running == configuration.sendersMax {
                        await group.next()
                        running -= 1
                    }
                    running += 1
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
        for attempt in 1...max(1, configuration.attemptsMax) {
            guard !Task.isCancelled else { return }
            let start = now()
            guard start < wakeUp.expiresAt else { return await end(wakeUp, nil) }
            guard let address = address(of: wakeUp) else { return await end(wakeUp, nil) }
            guard let driver = drivers[wakeUp.transport] else {
                return await end(wakeUp, DeliveryRecord(wakeUp, outcome: "no_driver", at: start, latency: .zero))
            }
            let outcome = await send(wakeUp, to: address, with: driver)
            // What the end of this process interrupted is the next one's to try.
            if Task.isCancelled, outcome != .delivered { return }
            let delivery = DeliveryRecord(wakeUp, outcome: outcome.label, at: start, latency: now() - start)
            guard case .retry(let after) = outcome, attempt < configuration.attemptsMax,
                now() + after < wakeUp.expiresAt
            else { return await end(wakeUp, delivery) }
            await record(delivery)
            do { try await pause(after) } catch { return }
        }
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
