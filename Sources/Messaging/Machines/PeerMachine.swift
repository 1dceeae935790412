/// One callee end point as its caller sees it: connecting, greeted, ready, doubted, lost, and tried again.
///
/// One socket is one connection is one epoch: a loss always ends the socket, and READY is reached again only through HELLO on a new one.
struct PeerMachine {
    typealias Instant = ContinuousClock.Instant

    enum State: Equatable {
        case waiting(until: Instant)
        case connecting(until: Instant)
        case greeting(until: Instant)
        case ready
        /// Silent for one and a half beats: gets no new work.
        case suspect
        /// Takes no new work by its own word.
        case draining(until: Instant)
        case retired
    }

    enum Loss: Equatable {
        case notReached, disconnected, silent, handshake, noSession, version, drained
        /// The callee refused our key, or we do not know its.
        case denied
    }

    enum Event: Equatable {
        case tick
        case handshakeSucceeded
        case ready(heartbeat: Duration)
        case received
        case goAway
        case outstandingEmpty
        case lost(Loss)
        /// What kept it away may be over: keys have changed.
        case hurry
        case retire
    }

    enum Effect: Equatable {
        /// Open a new socket, connect it and send HELLO.
        case connect
        /// May be given work.
        case up
        /// Gets no new work; what is outstanding goes on.
        case pause
        /// Gets work again after a pause.
        case resume
        case beat
        /// Close the socket; everything outstanding has an unknown fate.
        case close(Loss)
    }

    private(set) var state: State
    private let limits: BusLimits
    private var failures = 0
    private var denials = 0
    private var heardAt: Instant
    private var beatAt: Instant
    private var heartbeat: Duration

    init(limits: BusLimits, now: Instant) {
        state = .waiting(until: now)
        self.limits = limits
        heardAt = now
        beatAt = now
        heartbeat = limits.heartbeatInterval
    }

    var isConnected: Bool {
        switch state {
        case .ready, .suspect, .draining: true
        default: false
        }
    }

    /// When `tick` has something to do next; nil for never.
    var nextTick: Instant? {
        switch state {
        case .waiting(let until), .connecting(let until), .greeting(let until): until
        case .ready: min(beatAt, heardAt + heartbeat * 3 / 2)
        case .suspect: min(beatAt, heardAt + heartbeat * 3)
        case .draining(let until): min(until, beatAt, heardAt + heartbeat * 3)
        case .retired: nil
        }
    }

    /// Takes one event and says what to do; `jitter` is random in 0 to 1.
    mutating func handle(_ event: Event, at now: Instant, jitter: Double) -> Effect? {
        switch event {
        case .tick: return tick(now, jitter)
        case .handshakeSucceeded:
            guard case .connecting = state else { return nil }
            state = .greeting(until: now + limits.readyTimeout)
            return nil
        case .ready(let interval): return becomeReady(interval, now)
        case .received: return hear(now)
        case .goAway:
            guard state == .ready || state == .suspect else { return nil }
            state = .draining(until: now + limits.drainTimeout)
            return .pause
        case .outstandingEmpty:
            guard case .draining = state else { return nil }
            return lose(.drained, now, jitter)
        case .lost(let loss): return lose(loss, now, jitter)
        case .hurry:
            denials = 0
            if case .waiting = state { state = .waiting(until: now) }
            return nil
        case .retire:
            let wasOpen = isOpen
            state = .retired
            return wasOpen ? .close(.drained) : nil
        }
    }

    private var isOpen: Bool {
        switch state {
        case .waiting, .retired: false
        default: true
        }
    }

    private mutating func tick(_ now: Instant, _ jitter: Double) -> Effect? {
        switch state {
        case .waiting(let until) where until <= now:
            state = .connecting(until: now + limits.connectTimeout + limits.handshakeTimeout)
            return .connect
        case .connecting(let until) where until <= now, .greeting(let until) where until <= now:
            return lose(.notReached, now, jitter)
        case .draining(let until) where until <= now:
            return lose(.drained, now, jitter)
        case .ready, .suspect, .draining:
            if heardAt + heartbeat * 3 <= now { return lose(.silent, now, jitter) }
            if beatAt <= now {
                beatAt = now + heartbeat
                return .beat
            }
            if state == .ready, heardAt + heartbeat * 3 / 2 <= now {
                state = .suspect
                return .pause
            }
            return nil
        case .waiting, .connecting, .greeting, .retired:
            return nil
        }
    }

    private mutating func becomeReady(_ interval: Duration, _ now: Instant) -> Effect? {
        switch state {
        case .connecting, .greeting:
            state = .ready
            failures = 0
            denials = 0
            heartbeat = interval
            heardAt = now
            beatAt = now + interval
            return .up
        default:
            return hear(now)
        }
    }

    private mutating func hear(_ now: Instant) -> Effect? {
        heardAt = now
        guard state == .suspect else { return nil }
        state = .ready
        return .resume
    }

    private mutating func lose(_ loss: Loss, _ now: Instant, _ jitter: Double) -> Effect? {
        guard isOpen else { return nil }
        state = .waiting(until: now + pause(after: loss, jitter))
        return .close(loss)
    }

    /// Doubles from the first pause to the longest, with half of it random so that callers do not come back in step.
    private mutating func pause(after loss: Loss, _ jitter: Double) -> Duration {
        let range = loss == .denied ? limits.deniedBackOff : limits.backOff
        let exponent: Int
        if loss == .denied {
            exponent = denials
            denials += 1
        } else {
            exponent = failures
            failures += 1
        }
        let whole = min(range.upperBound, range.lowerBound * (1 << min(exponent, 16)))
        return whole * (0.5 + 0.5 * jitter)
    }
}
