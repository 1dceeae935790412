import Wire

/// The way back to callers: one ROUTER, and a bounded line for each connection that has no room now.
extension Engine {
    /// Every frame to a caller carries its credit and our load.
    func transmit(_ header: FrameHeader, _ body: [UInt8], _ session: SessionID) {
        var header = header
        header.sender = configuration.instance
        header.creditLimit = worker?.creditLimit(of: session) ?? 0
        header.load = worker?.load ?? 0
        var message = frame(header, body)
        guard !outbound.holds(session) else { return keep(message.copy(), header.type, session) }
        switch transmit(&message, session, marking: true) {
        case .done: break
        case .again: keep(message.copy(), header.type, session)
        case .unreachable, .failed:
            if header.type == .reply { metrics(.droppedReply) }
            forget(session)
        }
    }

    /// A caller that takes none of so many bytes is as good as gone; it comes back over a new connection and asks again.
    private func keep(_ bytes: [UInt8], _ type: FrameType, _ session: SessionID) {
        // Of who is no caller nothing is kept: whatever it asks, it is told again.
        guard worker?.caller(of: session) != nil else { return }
        if outbound.append(bytes, for: session) { return flushLater() }
        if type == .reply { metrics(.droppedReply) }
        forget(session)
    }

    private func transmit(_ message: inout Message, _ session: SessionID, marking: Bool) -> SocketResult {
        guard let router else { return .unreachable }
        var identity = Message(count: 5)
        identity.withMutableBytes {
            $0[0] = 0
            $0.storeBytes(of: session.rawValue, toByteOffset: 1, as: UInt32.self)
        }
        if marking { markDirty(router) }
        let result = router.send(&identity, more: true)
        // Once the identity is taken, libzmq takes the rest of the message too.
        return result == .done ? router.send(&message) : result
    }

    /// Sends what there is room for. The socket is received from right after, so it need not be marked: marking it for every line
    /// that stays full would keep the thread from ever waiting.
    func flushOutbound() {
        for session in outbound.sessions { flush(session) }
        if !outbound.isEmpty { flushLater() }
        carryOutWorker()
    }

    private func flush(_ session: SessionID) {
        while let frame = outbound.first(of: session) {
            var message = Message(frame)
            switch transmit(&message, session, marking: false) {
            case .done: outbound.removeFirst(of: session)
            case .again: return
            case .unreachable, .failed: return forget(session)
            }
        }
    }

    /// libzmq says that there is room again by a signal that any receive may take away, so full lines are looked at again by time too.
    func flushLater() { if flushAt == nil { flushAt = now + Self.flushPause } }

    /// Long beside a frame, short beside a call; a hundred looks a second are no load.
    private static let flushPause: Duration = .milliseconds(10)

    /// The connection is no caller's any more: what only it wanted is stopped, and what was to be sent there is dropped.
    func forget(_ session: SessionID) {
        worker?.gone(session)
        sessionKeys[session] = nil
        outbound.drop(session)
    }

    /// Drops what is kept for connections that the machine has forgotten by itself.
    func forgetSessions() {
        for session in outbound.sessions where worker?.caller(of: session) == nil { outbound.drop(session) }
        guard sessionKeys.count > worker?.sessionCount ?? 0 else { return }
        sessionKeys = sessionKeys.filter { worker?.caller(of: $0.key) != nil }
    }
}
