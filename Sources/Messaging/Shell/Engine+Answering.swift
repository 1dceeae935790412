import CZeroMQ
import Domain
import Failpoints
import Glibc
import Logging
import SwiftProtobuf
import Wire

/// The answering side: the ROUTER, admission, handlers and their replies.
extension Engine {
    // MARK: listening

    func bind() -> Result<Void, BusError> {
        guard !configuration.bind.isEmpty else { return .success(()) }
        guard router == nil, worker != nil else {
            return .failure(.configuration("a bus that listens needs routes, and runs once"))
        }
        do {
            // ZAP first: without a handler libzmq would have nobody to ask.
            if case .curve = configuration.security { try startZAP() }
            try listen()
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private func listen() throws(BusError) {
        let socket = try Socket(context, ZMQ_ROUTER)
        setCommon(socket)
        // Without it a reply to a full or vanished connection is dropped in silence.
        socket.set(ZMQ_ROUTER_MANDATORY, 1)
        socket.set(ZMQ_BACKLOG, 1_024)
        if configuration.bind.contains(where: { $0.description.contains("[") }) { socket.set(ZMQ_IPV6, 1) }
        if case .curve(let keys) = configuration.security {
            socket.set(ZMQ_CURVE_SERVER, 1)
            socket.set(ZMQ_CURVE_SECRETKEY, keys.secretKey)
            // CURVE alone admits any key: only a domain that is not empty, and enforced, makes libzmq ask ZAP.
            socket.set(ZMQ_ZAP_DOMAIN, Self.zapDomain)
            socket.set(Int32(COUNTERSIGN_ZMQ_ZAP_ENFORCE_DOMAIN), 1)
        }
        let name = "inproc://monitor-router"
        if socket.startMonitor(name), let monitor = monitorSocket(name) { _ = addPort(.routerMonitor, monitor) }
        for endpoint in configuration.bind {
            try requirePrivateFolder(endpoint)
            if let reason = socket.bind(endpoint.description) { throw .bind(endpoint, reason: reason) }
        }
        router = addPort(.router, socket)
    }

    /// Without CURVE the folder's permissions are all that proves who connects.
    private func requirePrivateFolder(_ endpoint: Endpoint) throws(BusError) {
        guard case .folderPermissions = configuration.security, case .ipc(let path) = endpoint.transport else { return }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        var status = stat()
        guard stat(folder, &status) == 0 else { throw .bind(endpoint, reason: systemReason()) }
        guard status.st_mode & 0o077 == 0, status.st_uid == geteuid() else {
            throw .bind(endpoint, reason: "\(folder) may be opened by others; its mode must be 0700")
        }
    }

    // MARK: frames from callers

    func receiveFromCaller(_ message: inout Message, _ port: Port) {
        let session = sessionID(&message)
        var parts = 0
        while message.hasMore() {
            guard port.receive(&message) == .done else { return }
            parts += 1
            guard parts == 1, !message.hasMore() else { continue }
            if let session { takeFrame(&message, session) } else { metrics(.malformedFrame) }
        }
        if parts != 1 { metrics(.malformedFrame) }
    }

    /// ROUTER's own ids are a zero byte and a counter; a caller that chose its own id is not one of ours.
    private func sessionID(_ message: inout Message) -> SessionID? {
        message.withBytes { bytes in
            guard bytes.count == 5, bytes[0] == 0 else { return nil }
            return SessionID(rawValue: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
        }
    }

    private func takeFrame(_ message: inout Message, _ session: SessionID) {
        let user = isHello(&message) ? message.userID() : nil
        message.withBytes { bytes in
            do throws(FrameError) {
                let (header, body) = try FrameHeader.decode(bytes)
                take(header, UnsafeRawBufferPointer(rebasing: bytes[body]), session, user: user)
            } catch {
                metrics(.malformedFrame)
                if case .version = error { sendGoAway(session, lastSequence: 0, GoAwayReason.version) }
            }
        }
        carryOutWorker()
    }

    /// Only HELLO needs the user id: a connection keeps its identity for life.
    private func isHello(_ message: inout Message) -> Bool {
        message.withBytes { $0.count >= FrameHeader.bytes && $0[4] == FrameType.hello.rawValue }
    }

    private func take(_ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ session: SessionID, user: String?) {
        switch header.type {
        case .hello: hello(body, session, user: user)
        case .request: request(header, body, session)
        case .cancel: worker?.cancel(session, sequence: header.sequence, at: now)
        case .heartbeat: worker?.heard(session, highestSequence: header.sequence, at: now)
        case .disconnect: forget(session)
        case .ready, .reply, .nack, .credit, .goAway: metrics(.malformedFrame)
        }
    }

    private func hello(_ body: UnsafeRawBufferPointer, _ session: SessionID, user: String?) {
        let caller: ServiceName?
        switch configuration.security {
        case .curve:
            // Asked again here: the key may have been removed since the handshake.
            guard let key = user.map({ String($0.drop { $0 != " " }.dropFirst()) }) else {
                return metrics(.refusedConnection)
            }
            caller = trusted.service(of: key)
            sessionKeys[session] = key
        case .folderPermissions:
            caller = HelloBody(body).flatMap { ServiceName(rawValue: $0.service) }
        }
        guard let caller else {
            sessionKeys[session] = nil
            return metrics(.refusedConnection)
        }
        worker?.hello(session, caller: caller, at: now)
    }

    private func request(_ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ session: SessionID) {
        var hasher = Hasher()
        hasher.combine(bytes: body)
        // 0 means no deadline of its own; ours is then the longest that is ever useful.
        let remaining =
            header.deadlineMicroseconds == 0
            ? limits.deadlineMax
            : min(limits.deadlineMax, .microseconds(Int64(clamping: header.deadlineMicroseconds)))
        let request = WorkerMachine.Request(
            sequence: header.sequence, requestID: header.requestID, method: header.method, deadline: now + remaining,
            bodyDigest: hasher.finalize())
        worker?.request(request, from: session, at: now)
        for effect in worker?.takeEffects() ?? [] {
            if case .start(let key) = effect {
                start(key, header, body, session, deadline: request.deadline)
            } else {
                carryOut(effect)
            }
        }
    }

    // MARK: handlers

    private func start(
        _ key: SlabKey, _ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ session: SessionID, deadline: Instant
    ) {
        guard let handle = handlers[header.method]?.handle, let caller = worker?.caller(of: session) else { return }
        let call = CallContext(
            requestID: header.requestID, originID: header.originID ?? header.requestID, deadline: deadline,
            trace: header.trace)
        let context = HandlerContext(caller: caller, call: call)
        let task = Self.task(handle, Array(body), context, logger) { [reactor] result in
            reactor.post(.finished(key, result))
        }
        while tasks.count <= key.index { tasks.append(nil) }
        tasks[Int(key.index)] = task
    }

    private static func task(
        _ handle: @escaping Routes.Handler, _ body: [UInt8], _ context: HandlerContext, _ logger: Logger,
        _ finish: @escaping @Sendable (HandlerResult) -> Void
    ) -> Task<Void, Never> {
        // Unstructured because admission bounds them (`runningMax`, `parkedMax`), each is kept here to be cancelled, and the drain waits
        // for all: a task group could not cancel one of its children.
        Task { finish(await run(handle, body, context, logger)) }
    }

    private static func run(
        _ handle: Routes.Handler, _ body: [UInt8], _ context: HandlerContext, _ logger: Logger
    ) async -> HandlerResult {
        do {
            return HandlerResult(status: 0, body: try await handle(body, context))
        } catch let error as ServiceError {
            return result(Task.isCancelled && error.code == .unavailable ? unknown(error) : error)
        } catch is CancellationError {
            return result(unknown(ServiceError(.unavailable, "the request was stopped")))
        } catch {
            logger.error("a handler failed", metadata: ["requestId": "\(context.call.originID)", "error": "\(error)"])
            return result(ServiceError(.internal))
        }
    }

    /// A handler that was stopped may have had its effect before it noticed: only a repeat with the same id tells.
    private static func unknown(_ error: ServiceError) -> ServiceError {
        ServiceError(
            error.code, error.detail, retryAfter: error.retryAfter,
            members: error.members.merging(["outcome": "unknown"]) { $1 })
    }

    private static func result(_ error: ServiceError) -> HandlerResult {
        let body: [UInt8] = (try? error.failure.serializedBytes()) ?? []
        return HandlerResult(status: error.code.rawValue, body: body)
    }

    func finished(_ key: SlabKey, _ result: HandlerResult) {
        guard key.index < tasks.count else { return }
        tasks[Int(key.index)] = nil
        worker?.finished(key)
        var result = result
        if result.body.count > limits.bodyBytesMax {
            logger.error("a reply is too large", metadata: ["bytes": "\(result.body.count)"])
            result = Self.result(ServiceError(.internal, "the reply is too large"))
        }
        for effect in worker?.takeEffects() ?? [] {
            if case .reply(let session, let sequence, let method, let requestID) = effect {
                reply(session, sequence: sequence, method: method, requestID, result)
            } else {
                carryOut(effect)
            }
        }
        carryOutWorker()
    }

    // MARK: frames to callers

    func carryOutWorker() {
        // Carrying one out may find a caller gone, which has effects of its own.
        while let effects = worker?.takeEffects(), !effects.isEmpty {
            for effect in effects { carryOut(effect) }
        }
    }

    private func carryOut(_ effect: WorkerMachine.Effect) {
        switch effect {
        case .start, .reply: preconditionFailure("starts and replies are carried out where their content is")
        case .ready(let session, _):
            let ready = ReadyBody(
                service: configuration.service.rawValue,
                heartbeatMilliseconds: UInt32(limits.heartbeatInterval.wholeMilliseconds))
            transmit(FrameHeader(.ready), ready.encoded(), session)
        case .ignored: metrics(.malformedFrame)
        case .joined(let method): metrics(.joinedRequest(method: method))
        case .nack(let session, let sequence, let method, let requestID, let reason):
            metrics(.refusedRequest(method: method, reason))
            var header = FrameHeader(.nack)
            header.sequence = sequence
            header.method = method
            header.requestID = requestID
            header.status = reason.rawValue
            transmit(header, [], session)
        case .stop(let key):
            if key.index < tasks.count { tasks[Int(key.index)]?.cancel() }
        case .credit(let session): transmit(FrameHeader(.credit), [], session)
        case .beat(let session): transmit(FrameHeader(.heartbeat), [], session)
        case .goAway(let session, let lastSequence):
            sendGoAway(
                session, lastSequence: lastSequence,
                worker?.isDraining == true ? GoAwayReason.draining : GoAwayReason.full)
        case .drained: close()
        }
    }

    private func reply(
        _ session: SessionID, sequence: UInt64, method: UInt16, _ requestID: RequestID, _ result: HandlerResult
    ) {
        var header = FrameHeader(.reply)
        header.sequence = sequence
        header.method = method
        header.requestID = requestID
        header.status = result.status
        transmit(header, result.body, session)
        Failpoint.afterReply.reach(handlers[method]?.method.name ?? "")
    }

    private func sendGoAway(_ session: SessionID, lastSequence: UInt64, _ reason: UInt32) {
        var header = FrameHeader(.goAway)
        header.sequence = lastSequence
        header.status = reason
        transmit(header, [], session)
    }
}
