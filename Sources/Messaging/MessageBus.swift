package import Logging
import SwiftProtobuf
import Synchronization
package import Wire

/// One process's part in the bus: asks other services, and answers for its own.
package final class MessageBus: ServiceCaller {
    private let configuration: BusConfiguration
    private let reactor: Reactor
    private let finished: Latch
    private let unanswered = Atomic<Int>(0)
    private let nextWatch = Atomic<UInt64>(1)

    /// Prepares a bus; nothing is sent or accepted before `run`, and calls wait for it within their deadline.
    ///
    /// `routes` is what this process answers, nil for one that only asks. `metrics` is called on the reactor thread.
    package init(
        _ configuration: BusConfiguration, routes: Routes? = nil, logger: Logger,
        metrics: @escaping @Sendable (BusEvent) -> Void = { _ in }
    ) throws(BusError) {
        try configuration.validate()
        guard configuration.bind.isEmpty || routes?.service == configuration.service else {
            throw .configuration("\(configuration.service.rawValue) listens but has no routes of its own")
        }
        self.configuration = configuration
        let reactor = Reactor()
        let finished = Latch()
        self.reactor = reactor
        self.finished = finished
        Reactor.startThread(named: "bus-\(configuration.service.rawValue.prefix(11))") {
            Engine(configuration, routes: routes, logger: logger, metrics: metrics, reactor: reactor).run()
            finished.open()
        }
    }

    deinit { reactor.post(.abandon) }

    /// Binds, connects and answers until `drain` has finished or the task is cancelled (which drains too). A bus that was drained
    /// before has nothing to run.
    package func run() async throws {
        var addresses: [Endpoint: [Endpoint]] = [:]
        await readKeys()
        await resolveNames(&addresses)
        do {
            try await withCheckedContinuation { continuation in
                if !reactor.post(.start(continuation)) { continuation.resume(returning: .failure(.stopped)) }
            }.get()
        } catch BusError.stopped {
            return
        }
        await withTaskGroup(of: Void.self) { [addresses] group in
            group.addTask { await self.keepReadingKeys() }
            group.addTask { await self.keepResolvingNames(addresses) }
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
        guard body.count <= configuration.limits.frameBytesMax - FrameHeader(.request).encodedBytes - 64 else {
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

    // MARK: surroundings

    private func readKeys() async {
        guard case .curve(let keys) = configuration.security else { return }
        reactor.post(.trust(await Surroundings.readTrusted(keys)))
    }

    private func keepReadingKeys() async {
        guard case .curve = configuration.security else { return }
        while (try? await Task.sleep(for: configuration.limits.keyReadInterval)) != nil { await readKeys() }
    }

    private func resolveNames(_ known: inout [Endpoint: [Endpoint]]) async {
        for (service, endpoints) in configuration.callees {
            let resolved = await Surroundings.resolve(endpoints, known: known)
            known.merge(resolved) { $1 }
            reactor.post(.addresses(service, endpoints.flatMap { resolved[$0] ?? [] }))
        }
    }

    private func keepResolvingNames(_ resolved: [Endpoint: [Endpoint]]) async {
        var known = resolved
        while (try? await Task.sleep(for: configuration.limits.resolveInterval)) != nil { await resolveNames(&known) }
    }
}
