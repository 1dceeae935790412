import Domain
import Glibc
import Logging
import Messaging
import ServiceLifecycle
import Telemetry
import UnixSignals
package import Wire

/// How every process starts, is configured, reports and stops. A main file calls `run` and gives back the parts of its service.
///
/// Start: configuration (status 78 when it is wrong), the service's parts, the bus, then all of it in one ServiceGroup. Stop, on
/// SIGTERM or SIGINT: the bus takes nothing new and finishes what runs (10 s at most), background work ends, the store closes, and
/// the status is 0.
package enum ServiceMain {
    package static let version = "0.1.0"
    /// After the bus's own limit, for background work and the store.
    private static let shutdownMax = Duration.seconds(15)

    /// Never returns: the process ends with the status of what happened. `settings` are the service's own keys beside the standard ones;
    /// `check` throws where values that are right one by one do not go together.
    package static func run(
        _ service: ServiceName, settings own: [SettingKey] = [], check: @Sendable (Settings) throws -> Void = { _ in },
        _ assemble: @Sendable (ServiceProcess) async throws -> ServiceParts
    ) async -> Never {
        // A peer that closes its socket early is met where the write fails, not by a signal that ends the process.
        signal(SIGPIPE, SIG_IGN)
        // Asks a process to read again what it can; one that is still starting, or has nothing to read again, goes on.
        signal(SIGHUP, SIG_IGN)
        // Databases, keys and sockets are this user's alone.
        umask(0o077)
        let standard = StandardSettings(service)
        do {
            guard let settings = try await configure(standard, keys: standard.keys + own, check) else {
                exit(ExitStatus.done.rawValue)
            }
            try await start(settings, standard, assemble)
            exit(ExitStatus.done.rawValue)
        } catch {
            LineOutput.standardError.write("countersign-\(service.rawValue): \(sentence(of: error))\n")
            exit(ExitStatus(error).rawValue)
        }
    }

    /// Reads the configuration; nil when that, or help, or the health of the process that runs with it was all that was asked for.
    private static func configure(
        _ standard: StandardSettings, keys: [SettingKey], _ check: @Sendable (Settings) throws -> Void
    ) async throws -> Settings? {
        let service = standard.service.rawValue
        let program = "countersign-\(service)"
        let output = LineOutput.standardOutput
        let line = try CommandLineText(Array(CommandLine.arguments.dropFirst()), keys: keys)
        switch line.action {
        case .help:
            output.write(SettingsText.help(keys, program: program, service: service))
            return nil
        case .version:
            output.write("\(program) \(version)\n")
            return nil
        case .run, .checkConfiguration, .checkHealth, .printConfiguration: break
        }
        let settings = try Settings(
            keys, service: service, commandLine: line.values, environment: ProcessEnvironment.variables,
            file: line.configurationFile.map(ConfigurationFile.read) ?? [:], filePath: line.configurationFile ?? "")
        try standard.store?.check(settings)
        if line.action == .printConfiguration {
            output.write(SettingsText.yaml(settings, program: program))
            return nil
        }
        try check(settings)
        switch line.action {
        case .checkConfiguration: output.write("\(program): the configuration is right\n")
        case .checkHealth: output.write(try await HealthProbe.ask(settings[standard.operationsAddress]) + "\n")
        default: return settings
        }
        return nil
    }

    private static func start(
        _ settings: Settings, _ standard: StandardSettings,
        _ assemble: @Sendable (ServiceProcess) async throws -> ServiceParts
    ) async throws {
        let instance = InstanceID.random()
        let logger = logger(standard, settings, instance)
        let metrics = MetricsRegistry()
        ProcessMetrics.register(in: metrics, startedAt: Double(SystemTime.now().milliseconds) / 1_000)
        metrics.gauge("countersign_build_info", help: "1, with the build as a label.", labels: ["version"])
            .set(1, version)
        let traces = ProcessTraces(
            standard, settings, instance: instance.description, metrics: metrics, logger: logger)
        let caller = DeferredCaller()
        let readiness = Readiness()
        let parts = try await assemble(
            ServiceProcess(
                settings: settings, standard: standard, caller: caller, metrics: metrics, readiness: readiness,
                logger: logger, tracer: traces?.tracer))
        do {
            var routes = parts.routes?.observed(metrics, logger)
            if let traces { routes = routes?.traced(traces.tracer) }
            let bus = try bus(standard, settings, instance, routes, metrics, logger)
            caller.connect(to: traces.map { TracedCaller(caller: bus, tracer: $0.tracer) } ?? bus)
            let watch = CalleeWatch(
                caller: bus, of: standard.service,
                callees: standard.callees.keys.filter(standard.service.callees.contains).sorted())
            for dependency in parts.dependencies + watch.dependencies { readiness.add(dependency) }
            let operations = OperationsServer(
                address: settings[standard.operationsAddress], readiness: readiness, metrics: metrics, logger: logger)
            logger.info("starting", metadata: ["version": "\(version)", "process": "\(getpid())"])
            let answering = BusService(bus: bus, prepare: parts.prepare, readiness: readiness)
            // What takes requests in stops first: the bus of a process that answers it, the background of one that only asks.
            let background = parts.routes == nil ? [answering] + parts.background : parts.background + [answering]
            // The last to stop, with the spans of all that stopped before.
            let exporter: [any Service] = traces.map { [$0.exporter] } ?? []
            try await group(exporter + [operations, watch] + background, logger).run()
        } catch {
            await parts.close()
            throw error
        }
        await parts.close()
        logger.info("stopped")
    }

    /// A group stops its services one after another from the end: what takes requests in first, the operations last.
    private static func group(_ services: [any Service], _ logger: Logger) -> ServiceGroup {
        let configurations = services.map { service in
            ServiceGroupConfiguration.ServiceConfiguration(
                service: service,
                successTerminationBehavior: service is BusService ? .gracefullyShutdownGroup : .ignore,
                failureTerminationBehavior: .gracefullyShutdownGroup)
        }
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: configurations, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration = shutdownMax
        return ServiceGroup(configuration: configuration)
    }

    private static func bus(
        _ standard: StandardSettings, _ settings: Settings, _ instance: InstanceID, _ routes: Routes?,
        _ metrics: MetricsRegistry,
        _ logger: Logger
    ) throws(BusError) -> MessageBus {
        let trust = settings[standard.busTrust]
        let keys = try CurveKeys.load(
            folder: settings[standard.busKeys], service: standard.service, trust: trust.isEmpty ? nil : trust)
        let needed = standard.callees.filter { standard.service.callees.contains($0.key) }
        let busMetrics = BusMetrics(metrics, of: standard.service)
        return try MessageBus(
            BusConfiguration(
                service: standard.service, instance: instance, bind: standard.bind.map { settings[$0] } ?? [],
                callees: needed.mapValues { settings[$0] }, security: .curve(keys)),
            routes: routes, logger: logger, metrics: { busMetrics.record($0) })
    }

    private static func logger(_ standard: StandardSettings, _ settings: Settings, _ instance: InstanceID) -> Logger {
        let level = Logger.Level(rawValue: settings[standard.logLevel]) ?? .info
        let identity = LogIdentity(service: standard.service.rawValue, instance: instance.description)
        let isTraced = standard.traces.configuration(settings) != nil
        return Logger(label: "countersign.\(standard.service.rawValue)") { _ in
            var handler = JSONLogHandler(
                identity: identity, level: level, now: SystemTime.now, write: { LineOutput.standardOutput.write($0) })
            if isTraced { handler.metadataProvider = ProcessTraces.logMetadata }
            return handler
        }
    }
}

/// The bus as a part of the group: drained at shutdown.
private struct BusService: Service {
    let bus: MessageBus
    let prepare: @Sendable () async throws -> Void
    let readiness: Readiness

    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                try await gracefulShutdown()
                readiness.drain()
                await bus.drain()
            }
            try await bus.run(after: prepare)
            group.cancelAll()
        }
    }
}

extension ServiceName: Comparable {
    package static func < (left: ServiceName, right: ServiceName) -> Bool { left.rawValue < right.rawValue }
}
