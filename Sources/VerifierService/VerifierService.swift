// Says whether a signed answer, a signed request or an offline code is genuine, and lets none of them work twice.
//
// Owns: used `jti`s, the last accepted code step of each device, the counters of wrong codes. Must not know: numbers, what a
// challenge's state is (challenge), whose a device is and what its key is (registration), HTTP (gateway). Start reading at
// `VerifierRoutes`.

package import Domain
package import Logging
package import Messaging
package import Secrets
package import ServiceKit
import ServiceLifecycle
package import Storage
package import Telemetry

package struct VerifierService: Service {
    /// What every service is given.
    package struct Dependencies: Sendable {
        package let store: any Store<any VerifierRecords>
        package let caller: any ServiceCaller
        package let tenants: any Tenants
        package let sealer: Sealer
        package let metrics: MetricsRegistry
        package let logger: Logger
        package let now: @Sendable () -> Timestamp

        package init(
            store: any Store<any VerifierRecords>, caller: any ServiceCaller, tenants: any Tenants, sealer: Sealer,
            metrics: MetricsRegistry, logger: Logger, now: @escaping @Sendable () -> Timestamp
        ) {
            self.store = store
            self.caller = caller
            self.tenants = tenants
            self.sealer = sealer
            self.metrics = metrics
            self.logger = logger
            self.now = now
        }
    }

    let proofs: DeviceProofHandler
    let answers: AnswerHandler
    let codes: CodeHandler
    let administration: AdministrationHandler
    private let devices: DeviceKeys
    private let store: any Store<any VerifierRecords>
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let configuration: VerifierConfiguration

    package init(_ given: Dependencies, configuration: VerifierConfiguration = VerifierConfiguration()) {
        let metrics = VerifierMetrics(given.metrics)
        store = given.store
        logger = given.logger
        now = given.now
        self.configuration = configuration
        devices = DeviceKeys(
            caller: given.caller, configuration: configuration, metrics: metrics, logger: given.logger, now: given.now)
        proofs = DeviceProofHandler(
            store: given.store, devices: devices, tenants: given.tenants, configuration: configuration,
            metrics: metrics,
            logger: given.logger, now: given.now)
        answers = AnswerHandler(
            store: given.store, caller: given.caller, devices: devices, tenants: given.tenants,
            configuration: configuration,
            metrics: metrics, logger: given.logger, now: given.now)
        codes = CodeHandler(
            store: given.store, caller: given.caller, tenants: given.tenants, configuration: configuration,
            metrics: metrics,
            logger: given.logger, now: given.now)
        administration = AdministrationHandler(
            store: given.store, once: Once(store: given.store, memos: { $0 }, sealer: given.sealer, now: given.now),
            now: given.now)
    }

    /// Follows registration's changes and deletes what need not be kept, until the process drains.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.devices.watch() }
                group.addTask {
                    await keepPurging(every: self.configuration.purgeInterval, logger: self.logger, self.purge)
                }
            }
        }
    }

    /// Deletes what need not be kept.
    package func purge() async throws {
        let (time, batch) = (now(), configuration.purgeBatchMax)
        let failuresBefore = time - configuration.failureRetention
        try await store.purge(batch) { try $0.deleteProofIdentifiers(keptUntilBefore: time, limit: $1) }
        try await store.purge(batch) { try $0.deleteAcceptances(keptUntilBefore: time, limit: $1) }
        try await store.purge(batch) { try $0.deleteMemos(keptUntilBefore: time, limit: $1) }
        try await store.purge(batch) { try $0.deleteCodeFailures(lastBefore: failuresBefore, limit: $1) }
    }
}
