import Domain
import Logging
import Storage
import Telemetry

/// Sends wake-ups through the drivers, apart from the requests that ask for them: a slow provider holds up nobody.
final class WakeUpSender: Sendable {
    struct Job: Sendable {
        let wakeUp: WakeUp
        let transport: PushTransport
        let address: Redacted<[UInt8]>
    }

    private let drivers: [PushTransport: any PushDriver]
    private let store: any Store<any NotifierRecords>
    private let configuration: NotifierConfiguration
    private let metrics: NotifierMetrics
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let pause: @Sendable (Duration) async throws -> Void
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation

    init(_ given: NotifierService.Dependencies, configuration: NotifierConfiguration, metrics: NotifierMetrics) {
        drivers = Dictionary(given.drivers.map { ($0.transport, $0) }) { _, _ in
            preconditionFailure("a transport has one driver")
        }
        store = given.store
        logger = given.logger
        now = given.now
        pause = given.pause
        self.configuration = configuration
        self.metrics = metrics
        (jobs, queue) = AsyncStream.makeStream(
            of: Job.self, bufferingPolicy: .bufferingOldest(configuration.queuedWakeUpsMax))
    }

    func hasDriver(_ transport: PushTransport) -> Bool { drivers[transport] != nil }

    /// False when the queue is full.
    func enqueue(_ job: Job) -> Bool {
        if case .enqueued = queue.yield(job) { true } else { false }
    }

    /// Sends what is queued, a bounded number at a time, until cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await job in jobs {
                if running == configuration.sendersMax {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await self.deliver(job) }
            }
            group.cancelAll()
        }
    }

    private func deliver(_ job: Job) async {
        for attempt in 1...max(1, configuration.attemptsMax) {
            guard let driver = drivers[job.transport], now() < job.wakeUp.expiresAt, !Task.isCancelled else { return }
            let start = now()
            let outcome = await send(job, with: driver)
            await record(job.wakeUp, transport: job.transport.rawValue, outcome: outcome.label, since: start)
            guard case .retry(let after) = outcome, attempt < configuration.attemptsMax,
                now() + after < job.wakeUp.expiresAt
            else { return }
            do { try await pause(after) } catch { return }
        }
    }

    private func send(_ job: Job, with driver: any PushDriver) async -> PushOutcome {
        await withTaskGroup(of: PushOutcome?.self) { group in
            group.addTask { await driver.send(job.wakeUp, to: job.address) }
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
    func record(_ wakeUp: WakeUp, transport: String, outcome: String, since start: Timestamp) async {
        metrics.outcomes.increment(transport, outcome)
        let delivery = DeliveryRecord(
            tenant: wakeUp.tenant, challenge: wakeUp.challenge, device: wakeUp.device, transport: transport,
            outcome: outcome, at: start,
            latency: now() - start)
        do {
            try await store.write { try $0.append(delivery) }
        } catch {
            logger.warning(
                "delivery not recorded", metadata: ["challenge": "\(wakeUp.challenge)", "error": "\(error)"])
        }
    }
}
