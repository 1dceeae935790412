import CZeroMQ
import Domain
import Logging
import SwiftProtobuf
import Wire

/// The asking side: calls out, replies in, and the connections to callees.
extension Engine {
    // MARK: calls

    func begin(_ call: PendingCall) {
        guard !call.isCancelled else {
            return call.finish(.failure(Self.error(for: .cancelled(wasSent: false), call.method)))
        }
        guard closesAt == nil else { return call.finish(.failure(Self.stopped)) }
        guard let group = groups[call.method.service] else {
            return call.finish(
                .failure(ServiceError(.unavailable, "\(call.method.service.rawValue) is not configured")))
        }
        let key = group.machine.add(
            call.method, deadline: call.context.deadline, instance: call.instance, at: now, using: &random)
        guard let key else {
            metrics(.failed(group.service, method: call.method.id, .overloaded))
            return call.finish(
                .failure(
                    ServiceError(
                        .overloaded, "too many calls wait for \(group.service.rawValue)", retryAfter: .seconds(1))))
        }
        group.place(call, key)
        carryOut(group)
    }

    func cancel(_ call: PendingCall) {
        guard !call.isOver else { return }
        guard let key = call.key, let group = groups[call.method.service] else {
            // Overtook the call itself, whose continuation is not ours before it arrives.
            call.isCancelled = true
            return
        }
        group.machine.cancel(key, at: now, using: &random)
        carryOut(group)
    }

    func watch(_ id: UInt64, _ service: ServiceName, _ continuation: AsyncStream<Set<InstanceID>>.Continuation) {
        guard let group = groups[service], closesAt == nil else { return continuation.finish() }
        group.watchers[id] = continuation
        continuation.yield(group.machine.readyInstances)
    }

    /// Does what the machine decided, in order: a callee takes no sequence below one that it has seen, so what an effect brings
    /// about is not sent before the effects that follow it.
    func carryOut(_ group: CalleeGroup) {
        guard !group.isCarryingOut else { return }
        group.isCarryingOut = true
        defer { group.isCarryingOut = false }
        while case let effects = group.machine.takeEffects(), !effects.isEmpty {
            for effect in effects { carryOut(effect, group) }
        }
    }

    private func carryOut(_ effect: CallerMachine.Effect, _ group: CalleeGroup) {
        switch effect {
        case .send(let key, let peer, let sequence, let attempt, let isRetry):
            send(key, group, peer, sequence: sequence, attempt: attempt, isRetry: isRetry)
        case .cancel(let peer, let sequence):
            if let link = group.linkByPeer[peer] { sendControl(.cancel, link, sequence: sequence) }
        case .finish(let key, let outcome):
            if outcome != .replied, let call = group.take(key) { fail(call, outcome) }
        case .empty(let peer):
            if let link = group.linkByPeer[peer] { apply(.outstandingEmpty, link) }
        case .readyInstances(let instances):
            for continuation in group.watchers.values { continuation.yield(instances) }
        }
    }

    private func fail(_ call: PendingCall, _ outcome: RequestMachine.Outcome) {
        let error = Self.error(for: outcome, call.method)
        metrics(.failed(call.method.service, method: call.method.id, error.code))
        call.isOver = true
        answers.append((call, .failure(error)))
    }

    /// What the caller is told; the one place where a fate becomes an error.
    static func error(for outcome: RequestMachine.Outcome, _ method: Method) -> ServiceError {
        let service = method.service.rawValue
        func unavailable(_ sentence: String, wasSent: Bool) -> ServiceError {
            ServiceError(.unavailable, sentence, members: wasSent ? ["outcome": "unknown"] : [:])
        }
        /// Nobody waits for the reply of a callee that is there and has the request, if it was sent.
        func givenUp(_ sentence: String, wasSent: Bool) -> ServiceError {
            let error = unavailable(sentence, wasSent: wasSent)
            return wasSent ? error.toldElsewhere() : error
        }
        switch outcome {
        case .replied: return ServiceError(.internal, "a reply is no error")
        case .refused(.busy): return ServiceError(.overloaded, "\(service) is busy", retryAfter: .seconds(1))
        case .refused(.denied):
            return ServiceError(.refused, "\(service) does not answer \(method.name) for this service")
        case .refused(.noMethod):
            // In a rolling upgrade; the next instance to start may have it.
            return ServiceError(
                .unavailable, "no instance of \(service) has \(method.name) yet", retryAfter: .seconds(5))
        case .refused: return unavailable("\(service) did not take the call", wasSent: false)
        case .unknown: return unavailable("\(service) was lost during the call", wasSent: true)
        case .expired(let wasSent): return givenUp("\(service) did not answer in time", wasSent: wasSent)
        case .cancelled(let wasSent): return givenUp("the call was cancelled", wasSent: wasSent)
        case .instanceGone(let wasSent):
            return unavailable("this instance of \(service) is not ready", wasSent: wasSent)
        }
    }

    private func send(
        _ key: SlabKey, _ group: CalleeGroup, _ peer: PeerID, sequence: UInt64, attempt: UInt16, isRetry: Bool
    ) {
        guard let link = group.linkByPeer[peer], let call = group.pending[Int(key.index)] else { return }
        if isRetry { metrics(.retried(group.service, method: call.method.id)) }
        var header = FrameHeader(.request)
        header.flags =
            (call.method.effect == .reads ? FrameHeader.Flags.idempotent : 0) | (isRetry ? FrameHeader.Flags.retry : 0)
        header.sequence = sequence
        header.requestID = call.context.requestID
        header.originID = call.context.originID
        header.deadlineMicroseconds = max(1, now.duration(to: call.context.deadline).microseconds)
        header.method = call.method.id
        header.attempt = attempt
        header.trace = call.context.trace
        header.sender = configuration.instance
        transmit(frame(header, call.body), link)
    }

    func sendControl(_ type: FrameType, _ link: CalleeLink, sequence: UInt64 = 0, body: [UInt8] = []) {
        var header = FrameHeader(type)
        header.sequence = sequence
        header.sender = configuration.instance
        transmit(frame(header, body), link)
    }

    /// Header and body, written straight into a message.
    func frame(_ header: FrameHeader, _ body: [UInt8]) -> Message {
        let headerBytes = header.encodedBytes
        var message = Message(count: headerBytes + body.count)
        message.withMutableBytes { buffer in
            header.encode(bodyBytes: body.count, into: buffer)
            UnsafeMutableRawBufferPointer(rebasing: buffer[headerBytes...]).copyBytes(from: body)
        }
        return message
    }

    private func transmit(_ message: consuming Message, _ link: CalleeLink) {
        guard let port = link.port else { return }
        var message = message
        if link.outbound.isEmpty, send(&message, on: port) == .done { return }
        let bytes = message.copy()
        // Credit and the limit of parked calls bound the frames. A callee that takes none of so many bytes is as good as dead.
        guard link.outbound.bytes + bytes.count <= limits.outboundBytesMax else {
            _ = apply(.lost(.disconnected), link)
            return
        }
        link.outbound.append(bytes)
        flushLater()
    }

    /// Sends what there is room for. The socket is received from right after, so it need not be marked.
    func flushOutbound(_ link: CalleeLink) {
        while let bytes = link.outbound.first, let port = link.port {
            var message = Message(bytes)
            guard port.send(&message) == .done else { return flushLater() }
            link.outbound.removeFirst()
        }
    }

    // MARK: frames from a callee

    func receiveFromCallee(_ message: inout Message, _ link: CalleeLink) {
        let group = link.group
        message.withBytes { bytes in
            let header: FrameHeader
            let body: Range<Int>
            do throws(FrameError) {
                (header, body) = try FrameHeader.decode(bytes)
            } catch {
                metrics(.malformedFrame)
                if case .version = error { apply(.lost(.version), link) }
                return
            }
            if header.type != .ready { apply(.received, link) }
            take(header, UnsafeRawBufferPointer(rebasing: bytes[body]), link, group)
        }
        carryOut(group)
    }

    private func take(_ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ link: CalleeLink, _ group: CalleeGroup) {
        switch header.type {
        case .ready: becomeReady(header, body, link, group)
        case .reply:
            answer(header, body, link, group)
            group.machine.granted(link.peer, credit: header.creditLimit, at: now, using: &random)
        case .nack:
            group.machine.granted(link.peer, credit: header.creditLimit, at: now, using: &random)
            refuse(header, link, group)
        case .credit, .heartbeat:
            group.machine.granted(link.peer, credit: header.creditLimit, at: now, using: &random)
        case .goAway:
            // Before READY it is a refusal of the connection itself.
            apply(
                link.machine.isConnected ? .goAway : .lost(header.status == GoAwayReason.version ? .version : .drained),
                link)
        case .disconnect: apply(.lost(.disconnected), link)
        case .hello, .request, .cancel: metrics(.malformedFrame)
        }
    }

    private func becomeReady(
        _ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ link: CalleeLink, _ group: CalleeGroup
    ) {
        guard let ready = ReadyBody(body), ready.service == group.service.rawValue else {
            logger.error("a callee is not the service it should be", metadata: ["endpoint": "\(link.endpoint)"])
            apply(.lost(.handshake), link)
            return
        }
        guard apply(.ready(heartbeat: .milliseconds(Int64(ready.heartbeatMilliseconds))), link) == .up else { return }
        group.machine.up(link.peer, instance: header.sender, credit: header.creditLimit, at: now, using: &random)
        metrics(.calleeReady(group.service, header.sender))
        logger.info(
            "a callee is ready",
            metadata: [
                "callee": "\(group.service.rawValue)", "instance": "\(header.sender)", "endpoint": "\(link.endpoint)",
            ])
    }

    /// A reply counts only when it is for what is outstanding on this connection, request id included.
    private func answer(_ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ link: CalleeLink, _ group: CalleeGroup)
    {
        let isExpected = { (key: SlabKey) in group.pending[Int(key.index)]?.context.requestID == header.requestID }
        let failure = header.status == 0 ? nil : Self.failure(header.status, body)
        if let failure, failure.isOutcomeUnknown,
            group.machine.doubted(
                link.peer, sequence: header.sequence, at: now, using: &random, isExpected: isExpected)
        {
            return
        }
        let key = group.machine.replied(
            link.peer, sequence: header.sequence, isServed: failure?.code != .unavailable, at: now, using: &random,
            isExpected: isExpected)
        guard let key, let call = group.take(key) else { return }
        call.isOver = true
        answers.append((call, failure.map { .failure($0) } ?? .success(Array(body))))
    }

    private static func failure(_ status: UInt32, _ body: UnsafeRawBufferPointer) -> ServiceError {
        guard let code = ErrorCode(rawValue: status), let failure = try? Failure(serializedBytes: Array(body)) else {
            return ServiceError(.internal, "a callee's refusal cannot be read")
        }
        return ServiceError(code, failure: failure)
    }

    private func refuse(_ header: FrameHeader, _ link: CalleeLink, _ group: CalleeGroup) {
        guard let reason = NackReason(rawValue: header.status) else { return metrics(.malformedFrame) }
        group.machine.refused(link.peer, sequence: header.sequence, reason, at: now, using: &random)
        if reason == .draining { apply(.goAway, link) }
        if reason == .noSession { apply(.lost(.noSession), link) }
    }
}

/// The status of a GOAWAY.
enum GoAwayReason {
    static let draining: UInt32 = 1
    static let version: UInt32 = 2
    static let full: UInt32 = 3
}
