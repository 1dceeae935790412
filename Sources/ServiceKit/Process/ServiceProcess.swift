package import Domain
import Glibc
package import Logging
package import Messaging
package import Secrets
package import ServiceLifecycle
package import Storage
package import Telemetry
package import Wire

/// What a process has before its service is made, for its main file to make the service from.
package struct ServiceProcess: Sendable {
    package let service: ServiceName
    package let settings: Settings
    package let caller: any ServiceCaller
    package let metrics: MetricsRegistry
    package let logger: Logger
    package let now: @Sendable () -> Timestamp
    /// Shared with `/readyz`, for a gateway that answers it in public too.
    package let readiness: Readiness
    /// Nil when nothing is traced.
    package let tracer: SpanTracer?
    private let standard: StandardSettings
    private let storeReports: StoreReports?

    init(
        settings: Settings, standard: StandardSettings, caller: any ServiceCaller, metrics: MetricsRegistry,
        readiness: Readiness, logger: Logger, tracer: SpanTracer?
    ) {
        service = standard.service
        self.settings = settings
        self.standard = standard
        storeReports = standard.store.map { _ in StoreReports(metrics, logger) }
        self.caller = caller
        self.metrics = metrics
        self.logger = logger
        self.readiness = readiness
        self.tracer = tracer
        now = SystemTime.now
    }

    package var store: StoreConfiguration {
        guard let store = standard.store else { preconditionFailure("\(service.rawValue) keeps nothing") }
        return store.configuration(settings)
    }

    package func sealer() throws(SecretsError) -> Sealer {
        guard let setting = standard.sealingKeyFile else { preconditionFailure("\(service.rawValue) keeps nothing") }
        return try Sealer(keyFile: settings[setting])
    }

    /// Makes how many wait for the store a metric.
    package func measure<Records>(_ store: any Store<Records>) {
        metrics.gauge("countersign_store_waiting", help: "Writes, or transactions, that wait for their turn.") {
            Double(store.waiting)
        }
    }

    /// For a store's commits: how many writes share one, and how long one takes.
    package var onCommit: @Sendable (CommitReport) -> Void { reports.count }

    /// For runs of transactions that failed: counted by cause, and logged.
    package var onFailedRun: @Sendable (FailedRun) -> Void { reports.tell }

    private var reports: StoreReports {
        guard let storeReports else { preconditionFailure("\(service.rawValue) keeps nothing") }
        return storeReports
    }
}

/// The wall clock.
package enum SystemTime {
    package static let now: @Sendable () -> Timestamp = {
        var time = timespec()
        // Cannot fail: the clock exists on every system, and the address is ours.
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// What a main file gives back: the service in parts that a process runs, watches and closes.
package struct ServiceParts: Sendable {
    /// What the process answers; nil for one that only asks. They are measured and logged by the process.
    package var routes: Routes?
    /// Background work, each until graceful shutdown. One that returns early has nothing more to do; one that throws ends the process.
    package var background: [any Service]
    /// Beside the services that the process asks, which are watched in any case.
    package var dependencies: [Dependency]
    /// Returns when the routes can answer: until then no other service sends anything.
    package var prepare: @Sendable () async throws -> Void
    /// After all else has ended.
    package var close: @Sendable () async -> Void

    package init(
        routes: Routes? = nil, background: [any Service] = [], dependencies: [Dependency] = [],
        prepare: @escaping @Sendable () async throws -> Void = {},
        close: @escaping @Sendable () async -> Void = {}
    ) {
        self.routes = routes
        self.background = background
        self.dependencies = dependencies
        self.prepare = prepare
        self.close = close
    }
}

extension Dependency {
    package static func store<Records>(_ store: any Store<Records>) -> Dependency {
        Dependency("store") { await (try? store.check()) != nil }
    }

    package static func tenants(_ tenants: TenantMirror) -> Dependency { Dependency("tenants") { tenants.isReady } }
}
