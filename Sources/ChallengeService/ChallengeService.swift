// The challenge service: requests from their begin to their end, the number, the outbox and the sign-in log.
//
// Owns: the state machine's stored state, who waits for it, and that what was committed is told to phones and to registration.
// Must not know: keys and signatures (verifier), passwords and devices (registration), how phones are reached (notifier).
// Start reading at `ChallengeRoutes`, the whole table; the rules themselves are `ChallengeMachine` and `RequestBudget` in Domain.
package import Domain
import Foundation
package import Logging
package import Messaging
package import Secrets
package import ServiceKit
import ServiceLifecycle
package import Storage
import Synchronization
package import Telemetry
import Wire

package final class ChallengeService: Service {
    /// What the service is given by its process, or by a test.
    package struct Dependencies: Sendable {
        package var store: any Store<any ChallengeRecords>
        package var caller: any ServiceCaller
        package var tenants: any Tenants
        package var sealer: Sealer
        package var metrics: MetricsRegistry
        package var logger: Logger
        package var now: @Sendable () -> Timestamp
        /// Bytes from a cryptographic generator.
        package var randomBytes: @Sendable (Int) -> [UInt8]

        package init(
            store: any Store<any ChallengeRecords>, caller: any ServiceCaller, tenants: any Tenants, sealer: Sealer,
            metrics: MetricsRegistry, logger: Logger
        ) {
            self.store = store
            self.caller = caller
            self.tenants = tenants
            self.sealer = sealer
            self.metrics = metrics
            self.logger = logger
            now = { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
            randomBytes = { Secrets.randomBytes($0) }
        }
    }

    let store: any Store<any ChallengeRecords>
    let caller: any ServiceCaller
    let tenants: any Tenants
    let sealer: Sealer
    let logger: Logger
    let now: @Sendable () -> Timestamp
    let randomBytes: @Sendable (Int) -> [UInt8]
    let configuration: ChallengeConfiguration
    let metrics: ChallengeMetrics
    let once: Once<any ChallengeRecords>
    /// Of those who begin a request of one person one is in the store at a time: the others would only be run again.
    let begins = KeyedTurns<[String]>(waitingMax: 32)
    /// Advances when a challenge changes, or its time is up. One shared timer ends all these waits: there may be a hundred thousand.
    let outcomes: KeyedSignals<ChallengeID>
    /// Who waits is answered with what is.
    let isStopping = Atomic(false)
    let deadlines = Deadlines()
    let outbox: OutboxDispatcher
    /// Devices that were used, of which registration has not heard yet; the signal advances when the first of a message is noted.
    let uses = Mutex(DeviceUseLedger())
    let usesChanged = ChangeSignal()

    package init(_ given: Dependencies, configuration: ChallengeConfiguration = .init()) {
        store = given.store
        self.configuration = configuration
        caller = given.caller
        tenants = given.tenants
        sealer = given.sealer
        logger = given.logger
        now = given.now
        randomBytes = given.randomBytes
        once = Once(store: store, memos: { $0 }, sealer: given.sealer, now: given.now)
        outcomes = KeyedSignals(watchersMax: configuration.waitersMax)
        metrics = ChallengeMetrics(given.metrics, outcomes: outcomes)
        outbox = OutboxDispatcher(
            given, configuration: configuration, metrics: metrics, deadlines: deadlines)
    }

    /// Background work until shutdown: expiry, the outbox, and the deletion of what is old. Everything committed before a crash is
    /// found again in the store.
    package func run() async throws {
        try await resume()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.outbox.run() }
                group.addTask { await self.keepDeadlines() }
                group.addTask { await self.tellUses() }
                group.addTask {
                    await keepPurging(every: self.configuration.purgeInterval, logger: self.logger, self.purge)
                }
                group.addTask { await atIntervals(of: self.configuration.measureInterval, self.measure) }
                group.addTask { await self.keepRecalling() }
                guard let announcements = self.store.announcements else { return }
                group.addTask { for await item in announcements { self.hear(item) } }
                group.addTask { await atIntervals(of: self.configuration.adoptionInterval, self.adopt) }
            }
        }
        isStopping.store(true, ordering: .releasing)
        outcomes.advanceAll()
    }

    /// A transaction with its effects on what waits in this process, which happen once it is on disk.
    func write<Result: Sendable>(
        _ tenant: TenantView, _ call: CallContext,
        _ body: @escaping @Sendable (inout ChallengeTransaction) throws -> Result
    ) async throws -> Result {
        let time = now()
        let (result, effects) = try await store.write(until: call.deadline) { records in
            try self.transaction(records, tenant, at: time, for: call, body)
        }
        perform(effects)
        return result
    }

    /// `body` in a transaction of the store that is underway.
    func transaction<Result>(
        _ records: any ChallengeRecords, _ tenant: TenantView, at time: Timestamp, for call: CallContext,
        _ body: (inout ChallengeTransaction) throws -> Result
    ) throws -> (Result, ChallengeTransaction.Effects) {
        let turn = outbox.turn(at: time)
        var transaction = ChallengeTransaction(
            records: records, tenant: tenant, time: time, sealer: sealer, turn: turn, for: call)
        let result = try body(&transaction)
        return (result, try transaction.finish())
    }

    /// A challenge has ended in the store: who waits for it, here and in other processes, looks again.
    func tell(of id: ChallengeID) {
        outcomes.advance(id)
        store.announce(id.rawValue)
    }

    func perform(_ effects: ChallengeTransaction.Effects) {
        for lapse in effects.lapses { deadlines.add(.lapse(lapse.id, lapse.tenant), at: lapse.at) }
        for id in effects.ended { deadlines.dropLapses(of: id) }
        for end in effects.settled {
            tell(of: end.id)
            metrics.settled(end)
        }
        note(effects.used)
        outbox.handOver(effects.sending)
        for (receiver, due) in effects.outboxDue { outbox.schedule(for: receiver, at: due) }
    }
}
