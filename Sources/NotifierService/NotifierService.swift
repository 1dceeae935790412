// Wakes phones: over the event streams that gateways hold, and through push providers.
//
// Owns: who listens for which device (in memory), wake-ups that are owed and attempts to deliver (stored). Must not know: whether a
// request is real, what is decided about it, who a device belongs to. Losing it costs a ring, never a sign-in: phones ask for
// themselves. Start reading at `NotifierRoutes`.

package import Domain
package import Logging
package import Messaging
package import Secrets
package import ServiceKit
import ServiceLifecycle
package import Storage
package import Telemetry

package struct NotifierService: Service {
    package struct Dependencies: Sendable {
        package let store: any Store<any NotifierRecords>
        package let tenants: any Tenants
        /// Asks registration to drop what a provider does not know any more.
        package let caller: any ServiceCaller
        /// Seals the push addresses of wake-ups that are owed.
        package let sealer: Sealer
        package let metrics: MetricsRegistry
        package let logger: Logger
        package let now: @Sendable () -> Timestamp
        /// One a transport.
        package let drivers: [any PushDriver]
        /// By which Web Push subscriptions of a tenant are made, in base64url; nil where there is no account.
        package let applicationServerKey: @Sendable (TenantID) -> String?
        /// Waits; tests set the time by hand.
        package let pause: @Sendable (Duration) async throws -> Void

        package init(
            store: any Store<any NotifierRecords>, tenants: any Tenants, caller: any ServiceCaller, sealer: Sealer,
            metrics: MetricsRegistry, logger: Logger, now: @escaping @Sendable () -> Timestamp,
            drivers: [any PushDriver] = [],
            applicationServerKey: @escaping @Sendable (TenantID) -> String? = { _ in nil },
            pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
        ) {
            self.store = store
            self.tenants = tenants
            self.caller = caller
            self.sealer = sealer
            self.metrics = metrics
            self.logger = logger
            self.now = now
            self.drivers = drivers
            self.applicationServerKey = applicationServerKey
            self.pause = pause
        }
    }

    let notifications: NotifyHandler
    let live: LiveListeners
    let deliveries: DeliveryHandler
    let checks: PushCheckHandler
    private let sender: WakeUpSender
    private let owed: OwedWakeUps
    private let wakeUpPurge: WakeUpPurge
    private let given: Dependencies
    private let configuration: NotifierConfiguration

    /// `epoch` must differ from every earlier process's, e.g. random.
    package init(_ given: Dependencies, epoch: UInt64, configuration: NotifierConfiguration = NotifierConfiguration()) {
        let metrics = NotifierMetrics(given.metrics)
        self.given = given
        self.configuration = configuration
        live = LiveListeners(
            epoch: epoch, configuration: configuration, metrics: metrics, now: given.now, pause: given.pause)
        let push = PushSender(given, configuration: configuration, metrics: metrics)
        sender = WakeUpSender(given, push: push, configuration: configuration)
        owed = OwedWakeUps(given.store, metrics: metrics, lineMax: configuration.queuedWakeUpsMax)
        notifications = NotifyHandler(
            store: given.store, tenants: given.tenants, sealer: given.sealer, live: live, sender: sender,
            owed: owed, configuration: configuration, metrics: metrics, now: given.now)
        wakeUpPurge = WakeUpPurge(store: given.store, push: push, configuration: configuration)
        deliveries = DeliveryHandler(store: given.store)
        checks = PushCheckHandler(
            push: push, store: given.store, configuration: configuration, now: given.now,
            applicationServerKey: given.applicationServerKey)
    }

    /// Sends wake-ups, forgets silent listeners and old attempts, until the process drains.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.sender.run() }
                group.addTask {
                    await keepPurging(
                        every: self.configuration.purgeInterval, logger: self.given.logger, pause: self.given.pause,
                        self.purge)
                }
            }
        }
    }

    /// Deletes what need not be kept, and forgets listeners that have been silent for long.
    package func purge() async throws {
        live.forgetSilent()
        let (time, batch) = (given.now(), configuration.purgeBatchMax)
        try await wakeUpPurge.run(at: time)
        try await owed.shares(at: time)
        let before = time - configuration.deliveryRetention
        try await given.store.purge(batch) { try $0.deleteDeliveries(before: before, limit: $1) }
        try await given.store.purge(batch) { try $0.deleteClaims(keptUntilBefore: time, limit: $1) }
    }
}
