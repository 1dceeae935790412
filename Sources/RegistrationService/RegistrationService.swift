// Who is there, what they sign in with, and which phones are theirs.
//
// Owns: people, groups, password and pass hashes, web sessions, activations, devices and their keys, phone sign-in, offline-code
// secrets and push addresses (sealed), the audit log of all that. Must not know: which request is open, what its number means,
// whether an answer is genuine, how a phone is woken. Start reading at `RegistrationRoutes.swift`; a change of anything goes
// through `change` in `RegistrationService+Change.swift`; word of it leaves through `DeviceFeed` and `OutboundCalls`.

package import Domain
package import Logging
package import Messaging
package import Secrets
package import ServiceKit
import ServiceLifecycle
package import Storage
import Synchronization
package import Telemetry

/// The registration service: handlers over one store, and the background work that what they promised needs.
package final class RegistrationService: Service {
    typealias Records = any RegistrationRecords

    /// What the service is built from.
    package struct Dependencies: Sendable {
        package let store: any Store<any RegistrationRecords>
        package let caller: any ServiceCaller
        package let tenants: any Tenants
        package let sealer: Sealer
        package let hasher: PasswordHasher
        package let metrics: MetricsRegistry
        package let logger: Logger
        package let now: @Sendable () -> Timestamp

        package init(
            store: any Store<any RegistrationRecords>, caller: any ServiceCaller, tenants: any Tenants, sealer: Sealer,
            hasher: PasswordHasher, metrics: MetricsRegistry, logger: Logger, now: @escaping @Sendable () -> Timestamp
        ) {
            self.store = store
            self.caller = caller
            self.tenants = tenants
            self.sealer = sealer
            self.hasher = hasher
            self.metrics = metrics
            self.logger = logger
            self.now = now
        }
    }

    let store: any Store<any RegistrationRecords>
    let caller: any ServiceCaller
    let tenants: any Tenants
    let vault: Vault
    let hasher: PasswordHasher
    let logger: Logger
    let now: @Sendable () -> Timestamp
    let configuration: RegistrationConfiguration
    let metrics: RegistrationMetrics
    let once: Once<any RegistrationRecords>
    let feed: DeviceFeed
    /// Advances when an activation changes.
    let activations: KeyedSignals<ActivationID>
    /// Advances when a call was attempted: another may be due.
    let callsChanged = ChangeSignal()
    /// Refused credentials that the audit log has not heard of yet.
    let refusals = Mutex(RefusalLedger<RefusedCredential>())
    let refusalsChanged = ChangeSignal()

    package init(_ given: Dependencies, configuration: RegistrationConfiguration = RegistrationConfiguration()) {
        store = given.store
        caller = given.caller
        tenants = given.tenants
        vault = Vault(sealer: given.sealer)
        activations = KeyedSignals(watchersMax: configuration.activationWaitsMax)
        hasher = given.hasher
        logger = given.logger
        now = given.now
        self.configuration = configuration
        metrics = RegistrationMetrics(given.metrics)
        once = Once(store: given.store, memos: { $0 }, sealer: given.sealer, now: given.now)
        feed = DeviceFeed(capacity: configuration.deviceChangesKept)
    }

    /// Repeats calls that have not arrived, writes what was refused, and clears away what nobody needs, until shutdown.
    package func run() async throws {
        feed.expectArrivals()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.repeatCalls() }
                group.addTask { await self.writeRefusals() }
                group.addTask {
                    await keepPurging(every: self.configuration.purgeInterval, logger: self.logger, self.purge)
                }
                group.addTask { await atIntervals(of: self.configuration.measureInterval, self.measure) }
                guard let announcements = self.store.announcements else { return }
                group.addTask { for await item in announcements { self.hear(item) } }
            }
        }
        await writeLastRefusals()
    }
}
