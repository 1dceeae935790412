package import Logging
import SwiftProtobuf
import Synchronization
package import Wire

/// One process's part in the bus: asks other services, and answers for its own.
package final class MessageBus: ServiceCaller {
    private let configuration: BusConfiguration
    private let reactor: Reactor
    private let finished: Latch
    private let logger: Logger
    private let lookUp: @Sendable (Endpoint) -> [Endpoint]
    private let unanswered = Atomic<Int>(0)
    private let nextWatch = Atomic<UInt64>(1)

    /// Prepares a bus; nothing is sent or accepted before `run`, and calls wait for it within their deadline.
    ///
    /// `routes` is what this process answers, nil for one that only asks. `metrics` is called on the reactor thread.
    package convenience init(
        _ configuration: BusConfiguration, routes: Routes? = nil, logger: Logger,
        metrics: @escaping @Sendable (BusEvent) -> Void = { _ in }
    ) throws(BusError) {
        try self.init(
            configuration, routes: routes, logger: logger, metrics: metrics, lookUp: LookUps.addresses(of:))
    }

    /// `lookUp` gives the addresses that an end point's name stands for; it may block.
    init(
        _ configuration: BusConfiguration, routes: Routes? = nil, logger: Logger,
        metrics: @escaping @Sendable (BusEvent) -> Void = { _ in }, lookUp: @escaping @Sendable (Endpoint) -> [Endpoint]
    ) throws(BusError) {
        try configuration.validate()
        guard configuration.bind.isEmpty || routes?.service == configuration.service else {
            throw .configuration("\(configuration.service.rawValue) listens but has no routes of its own")
        }
        self.configuration = configuration
        self.logger = logger
        self.lookUp = lookUp
        let reactor = Reactor()
        let finished = Latch()
        self.reactor = reactor
        self.finished = finished
        let isStarted = Reactor.startThread(named: "bus-\(configuration.service.rawValue.prefix(11))") {
            Engine(configuration, routes: routes, logger: logger, metrics: metrics, reactor: reactor).run()
            finished.open()
        }
        guard isStarted else { throw .configuration("the system has no thread left for the bus") }
    }

    deinit { reactor.post(.abandon) }

    /// Binds, connects and answers until `drain` has finished or the task is cancelled (which drains too). A bus that was drained
    /// before has nothing to run.
    ///
    /// Callers are told READY once `prepare` has returned: until then they have others to ask, or wait. When it throws they never are.
    package func run(after prepare: @escaping @Sendable () async throws -> Void = {}) async throws {
        var reading = KeyReading()
        await readKeys(&reading)
        do {
            try await withCheckedContinuation { continuation in
                if !reactor.post(.start(continuation)) { continuation.resume(returning: .failure(.stopped)) }
            }.get()
        } catch BusError.stopped {
            return
        }
        await withTaskGroup(of: Void.self) { [reading] group in
            group.addTask { if (try? await prepare()) != nil { self.reactor.post(.open) } }
            group.addTask { await self.keepReadingKeys(reading) }
            // Each service by itself, and none before binding: a name that takes its time holds up nobody else.
            for (service, endpoints) in configuration.callees {
                group.addTask { await self.keepResolving(service, endpoints) }
            }
            await withTaskCancellationHandler {
                await finished.wait()
            } onCancel: {
                reactor.post(.drain)
            }
            group.cancelAll()
        }
    }

    /// Refuses new requests, lets running ones finish within the limit, then closes; returns when all is closed.
    package func drain() async {
        reactor.post(.drain)
        await finished.wait()
    }

    /// Closes as a killed process would: no farewell, nothing waited for. For tests of what others make of that.
    func crash() async {
        reactor.post(.abandon)
        await finished.wait()
    }

    // MARK: asking

    package func call<Request: ServiceRequest>(_ request: Request, _ context: CallContext) async throws(ServiceError)
        -> Request.Reply
    {
        try await send(request, to: nil, context)
    }

    package func call<Request: ServiceRequest>(_ request: Request, at instance: InstanceID, _ context: CallContext)
        async throws(ServiceError) -> Request.Reply
    {
        try await send(request, to: instance, context)
    }

    package func instances(of service: ServiceName) -> AsyncStream<Set<InstanceID>> {
        // Only the newest set matters, so nobody who is slow makes a queue.
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let id = nextWatch.add(1, ordering: .relaxed).oldValue
            continuation.onTermination = { [reactor] _ in reactor.post(.unwatch(id, service)) }
            if !reactor.post(.watch(id, service, continuation)) { continuation.finish() }
        }
    }

    private func send<Request: ServiceRequest>(_ request: Request, to instance: InstanceID?, _ context: CallContext)
        async throws(ServiceError) -> Request.Reply
    {
        let method = Request.method
        guard let body: [UInt8] = try? request.serializedBytes() else {
            throw ServiceError(.malformed, "\(method.name) cannot be encoded")
        }
        guard body.count <= configuration.limits.bodyBytesMax else {
            throw ServiceError(.tooLarge, "\(method.name) is larger than a frame")
        }
        defer { unanswered.subtract(1, ordering: .relaxed) }
        guard unanswered.add(1, ordering: .relaxed).newValue <= configuration.limits.callsMax else {
            throw ServiceError(.overloaded, "too many calls are unanswered", retryAfter: .seconds(1))
        }
        let reply = try await answer(to: PendingCall(method, at: instance, context, body: body)).get()
        guard let decoded = try? Request.Reply(serializedBytes: reply) else {
            throw ServiceError(.internal, "the reply to \(method.name) cannot be read")
        }
        return decoded
    }

    private func answer(to call: PendingCall) async -> PendingCall.Answer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                call.continuation = continuation
                if !reactor.post(.call(call)) { call.finish(.failure(Engine.stopped)) }
            }
        } onCancel: {
            reactor.post(.cancel(call))
        }
    }

    // MARK: look-ups

    private struct KeyReading {
        var keys = TrustedKeys()
        var problem: String?
    }

    private func readKeys(_ last: inout KeyReading) async {
        guard case .curve(let keys) = configuration.security,
            let read = await LookUps.readTrusted(keys, after: last.keys)
        else { return }
        // Once, not each time that the folder is looked at.
        if let problem = read.problem, problem != last.problem {
            logger.error("a trusted key cannot be read; the last one stays", metadata: ["reason": "\(problem)"])
        }
        last = KeyReading(keys: read.keys, problem: read.problem)
        reactor.post(.trust(read.keys))
    }

    private func keepReadingKeys(_ first: KeyReading) async {
        guard case .curve = configuration.security else { return }
        var last = first
        while (try? await Task.sleep(for: configuration.limits.keyReadInterval)) != nil { await readKeys(&last) }
    }

    /// What needs no looking up is tried at once; names are looked up again and again.
    private func keepResolving(_ service: ServiceName, _ endpoints: [Endpoint]) async {
        let names = endpoints.filter { !LookUps.isAddress($0) }
        var known: [Endpoint: [Endpoint]] = [:]
        for endpoint in endpoints where LookUps.isAddress(endpoint) { known[endpoint] = [endpoint] }
        reactor.post(.addresses(service, endpoints.flatMap { known[$0] ?? [] }))
        guard !names.isEmpty else { return }
        repeat {
            guard let resolved = await LookUps.resolve(names, known: known, by: lookUp) else { continue }
            known.merge(resolved) { $1 }
            reactor.post(.addresses(service, endpoints.flatMap { known[$0] ?? [] }))
        } while (try? await Task.sleep(for: configuration.limits.resolveInterval)) != nil
    }
}
