// Tenants, the applications that may ask, and what a tenant's people may use.
//
// Owns: tenants, applications and their credentials, bearer tokens, the policy and the settings documents, the audit of their
// changes. Must not know: people, devices, challenges; it asks registration whether a target exists and how many people a
// change concerns, and nothing else.
// Start reading at `PolicyRoutes`.

package import Domain
package import Logging
package import Messaging
import Proofs
package import Secrets
import ServiceKit
import ServiceLifecycle
package import Storage
package import Telemetry

/// The policy service. The other services follow its documents (`WatchPolicy`) and judge by themselves.
package final class PolicyService: Service {
    /// What the service is given: everything that a test replaces.
    package struct Dependencies: Sendable {
        package var store: any Store<any PolicyRecords>
        package var caller: any ServiceCaller
        package var sealer: Sealer
        package var metrics: MetricsRegistry
        package var logger: Logger
        package var now: @Sendable () -> Timestamp
        package var randomBytes: @Sendable (Int) -> [UInt8]
        /// Waits out a duration.
        package var pause: @Sendable (Duration) async throws -> Void

        package init(
            store: any Store<any PolicyRecords>, caller: any ServiceCaller, sealer: Sealer, metrics: MetricsRegistry,
            logger: Logger,
            now: @escaping @Sendable () -> Timestamp
        ) {
            self.store = store
            self.caller = caller
            self.sealer = sealer
            self.metrics = metrics
            self.logger = logger
            self.now = now
            randomBytes = { Secrets.randomBytes($0) }
            pause = { try await Task.sleep(for: $0) }
        }
    }

    let configuration: PolicyConfiguration
    let store: any Store<any PolicyRecords>
    let caller: any ServiceCaller
    let once: Once<any PolicyRecords>
    let metrics: PolicyMetrics
    let logger: Logger
    let now: @Sendable () -> Timestamp
    let randomBytes: @Sendable (Int) -> [UInt8]
    let pause: @Sendable (Duration) async throws -> Void
    let operatorToken: OperatorToken

    /// Advances after each committed change.
    let changes = ChangeSignal()
    let followers = Followers()
    /// How many are parked until something changes.
    package var followersParked: Int { changes.waiting }
    /// Random for each start: a follower of an earlier one gets everything anew, also when the database was restored meanwhile.
    let epoch: UInt64

    /// Throws `ConfigurationProblem.file` when the operator's token can be neither read nor made.
    package init(_ given: Dependencies, configuration: PolicyConfiguration) throws {
        self.configuration = configuration
        store = given.store
        caller = given.caller
        once = Once(store: given.store, memos: { $0 }, sealer: given.sealer, now: given.now)
        metrics = PolicyMetrics(given.metrics)
        logger = given.logger
        now = given.now
        randomBytes = given.randomBytes
        pause = given.pause
        operatorToken = try OperatorToken(file: configuration.operatorTokenFile, randomBytes: given.randomBytes)
        epoch = given.randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) } | 1
    }

    /// Deletes what has expired, at start and then now and again, and hears what other processes change, until the process stops.
    package func run() async throws {
        followers.expectArrivals()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await keepPurging(
                        every: self.configuration.purgeInterval, logger: self.logger, pause: self.pause, self.purge)
                }
                // Whatever it was: those who follow look again.
                guard let announcements = self.store.announcements else { return }
                group.addTask { for await _ in announcements { self.changes.advance() } }
            }
        }
    }

    /// Deletes expired tokens and forgotten replies.
    package func purge() async throws {
        let (now, batch) = (now(), PolicyConfiguration.purgeBatchMax)
        try await store.purge(batch) { try $0.deleteTokens(expiredAt: now, limit: $1) }
        try await store.purge(batch) { try $0.deleteMemos(keptUntilBefore: now, limit: $1) }
    }

    /// 256 random bits, base64url: a secret to show once and its digest to keep.
    func newSecret() -> (text: String, digest: [UInt8]) {
        let text = Base64URL.random(PolicyConfiguration.secretBytes, randomBytes)
        return (text, sha256(Array(text.utf8)))
    }

    func newID() -> String { Base64URL.random(PolicyConfiguration.idBytes, randomBytes) }
}
