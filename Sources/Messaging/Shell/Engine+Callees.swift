import CZeroMQ
import Logging
import Wire

/// The connections to callees: opened, watched through libzmq's monitor, closed.
extension Engine {
    /// The addresses of a service as they are now: new ones are connected, vanished ones retired.
    func setEndpoints(_ service: ServiceName, _ endpoints: [Endpoint]) {
        guard let group = groups[service], closesAt == nil else { return }
        for endpoint in endpoints where group.links[endpoint] == nil {
            group.links[endpoint] = CalleeLink(
                endpoint: endpoint, group: group, machine: PeerMachine(limits: limits, now: now))
        }
        for (endpoint, link) in group.links where !endpoints.contains(endpoint) {
            link.isRetiring = true
            // A name may stop naming an address whose process still works: what is outstanding there goes on.
            if link.machine.isConnected { apply(.goAway, link) } else { retire(link) }
        }
    }

    private func retire(_ link: CalleeLink) {
        apply(.retire, link)
        link.group.links[link.endpoint] = nil
    }

    func tick(_ link: CalleeLink) {
        while let due = link.machine.nextTick, due <= now {
            guard apply(.tick, link) != nil else { return }
        }
    }

    /// Gives an event to the connection's rules and does what they say.
    @discardableResult
    func apply(_ event: PeerMachine.Event, _ link: CalleeLink) -> PeerMachine.Effect? {
        let effect = link.machine.handle(event, at: now, jitter: Double.random(in: 0...1, using: &random))
        let group = link.group
        switch effect {
        case nil, .up: break
        case .connect: connect(link)
        case .pause:
            if case .draining = link.machine.state {
                group.machine.drain(link.peer)
            } else {
                group.machine.pause(link.peer)
            }
        case .resume: group.machine.resume(link.peer, at: now, using: &random)
        case .beat: sendControl(.heartbeat, link, sequence: group.machine.highestSequence(of: link.peer))
        case .close(let loss): disconnect(link, loss)
        }
        if effect != nil { carryOut(group) }
        return effect
    }

    private func connect(_ link: CalleeLink) {
        link.peer = PeerID(rawValue: nextPeer)
        nextPeer += 1
        link.group.linkByPeer[link.peer] = link
        guard let socket = callerSocket(link) else {
            _ = apply(.lost(.notReached), link)
            return
        }
        let monitorName = "inproc://monitor-\(link.peer.rawValue)"
        guard socket.startMonitor(monitorName), let monitor = monitorSocket(monitorName) else {
            _ = apply(.lost(.notReached), link)
            return
        }
        let reason = socket.connect(link.endpoint.description)
        link.monitor = addPort(.monitor(link), monitor)
        link.port = addPort(.callee(link), socket)
        if let reason {
            logger.error(
                "a callee cannot be reached", metadata: ["endpoint": "\(link.endpoint)", "reason": "\(reason)"])
            _ = apply(.lost(.notReached), link)
            return
        }
        // Queued by libzmq until the handshake is done.
        sendControl(.hello, link, body: HelloBody(service: configuration.service.rawValue).encoded())
    }

    /// A DEALER for one epoch; nil when no socket can be had or the callee's key is not known yet.
    private func callerSocket(_ link: CalleeLink) -> Socket? {
        link.serverKey = nil
        if case .curve = configuration.security {
            let keys = trusted.keys(of: link.group.service)
            guard !keys.isEmpty else { return nil }
            link.serverKey = keys[link.keyTurn % keys.count]
            link.keyTurn += 1
        }
        guard let socket = try? Socket(context, ZMQ_DEALER) else { return nil }
        setCommon(socket)
        socket.set(ZMQ_RECONNECT_IVL, -1)
        socket.set(ZMQ_IMMEDIATE, 0)
        socket.set(ZMQ_CONNECT_TIMEOUT, limits.connectTimeout.wholeMilliseconds)
        if case .tcp(let host, _) = link.endpoint.transport, host.contains(":") { socket.set(ZMQ_IPV6, 1) }
        if case .curve(let keys) = configuration.security, let serverKey = link.serverKey {
            socket.set(ZMQ_CURVE_SERVERKEY, serverKey)
            socket.set(ZMQ_CURVE_PUBLICKEY, keys.publicKey)
            socket.set(ZMQ_CURVE_SECRETKEY, keys.secretKey)
        }
        return socket
    }

    /// The options that both sides share; docs/protocol/messaging.md section 9 says why each.
    func setCommon(_ socket: borrowing Socket) {
        let highWaterMark = Int32(clamping: max(64, 2 * limits.windowMax))
        socket.set(ZMQ_SNDHWM, highWaterMark)
        socket.set(ZMQ_RCVHWM, highWaterMark)
        socket.set(ZMQ_LINGER, 0)
        socket.set(ZMQ_HANDSHAKE_IVL, limits.handshakeTimeout.wholeMilliseconds)
        // libzmq's own heartbeats can abort the process while a receive queue is full.
        socket.set(ZMQ_HEARTBEAT_IVL, 0)
        socket.set(ZMQ_TCP_KEEPALIVE, 1)
        socket.set(ZMQ_TCP_KEEPALIVE_IDLE, 10)
        socket.set(ZMQ_TCP_KEEPALIVE_INTVL, 3)
        socket.set(ZMQ_TCP_KEEPALIVE_CNT, 3)
        socket.set(ZMQ_TCP_MAXRT, 5_000)
        socket.set(ZMQ_MAXMSGSIZE, bytes: Int64(limits.frameBytesMax))
    }

    func monitorSocket(_ name: String) -> Socket? {
        guard let socket = try? Socket(context, ZMQ_PAIR) else { return nil }
        socket.set(ZMQ_RCVHWM, 0)
        socket.set(ZMQ_LINGER, 0)
        guard socket.connect(name) == nil else { return nil }
        return socket
    }

    /// Ends an epoch: the socket goes, and everything outstanding there has an unknown fate.
    private func disconnect(_ link: CalleeLink, _ loss: PeerMachine.Loss) {
        if let port = link.port {
            // Its callee waits for this one to go before it ends.
            if loss == .drained {
                sendControl(.disconnect, link)
                port.socket?.set(ZMQ_LINGER, 200)
            }
            port.socket?.stopMonitor()
            closePort(port)
        }
        if let monitor = link.monitor { closePort(monitor) }
        link.port = nil
        link.monitor = nil
        link.outbound = OutboundLine()
        let group = link.group
        group.linkByPeer[link.peer] = nil
        group.machine.lost(link.peer, at: now, using: &random)
        if link.isRetiring { retire(link) }
        metrics(.calleeLost(group.service, reason: "\(loss)"))
        if loss == .denied {
            let since = link.deniedSince ?? now
            link.deniedSince = since
            // Within this time both sides have read a key that was made a moment ago.
            let isLasting = now - since >= limits.keyReadInterval * 2
            logger.log(
                level: isLasting ? .error : .notice,
                "a callee refuses this service's key, or its own is not trusted",
                metadata: ["endpoint": "\(link.endpoint)"])
        } else if loss != .notReached {
            logger.notice("a callee is lost", metadata: ["endpoint": "\(link.endpoint)", "reason": "\(loss)"])
        }
    }

    /// One monitor event: a number and a value, then the end point, which we know.
    func receiveEvent(_ message: inout Message, _ port: Port, _ link: CalleeLink) {
        guard let (event, value) = monitorEvent(&message, port), link.monitor === port else { return }
        switch Int32(event) {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            link.deniedSince = nil
            apply(.handshakeSucceeded, link)
        // 300 is a passing trouble of the handler; 400 and 500 are refusals (RFC 27).
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: apply(.lost(value == 300 ? .handshake : .denied), link)
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: apply(.lost(.handshake), link)
        case ZMQ_EVENT_DISCONNECTED: apply(.lost(.disconnected), link)
        case ZMQ_EVENT_CLOSED: apply(.lost(.notReached), link)
        default: break
        }
    }

    func monitorEvent(_ message: inout Message, _ port: Port) -> (event: UInt16, value: UInt32)? {
        let event: (UInt16, UInt32)? = message.withBytes { bytes in
            guard bytes.count == 6 else { return nil }
            return (bytes.loadUnaligned(as: UInt16.self), bytes.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
        }
        while message.hasMore() {
            guard port.receive(&message) == .done else { break }
        }
        return event
    }
}
