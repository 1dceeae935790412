import Wire

@testable import Messaging

/// The connections between the caller and its callees, by the rules of `PeerMachine`.
extension BusSimulation {
    struct Link {
        let worker: Int
        /// Of the process that it leads to: a connection ends with it.
        let epoch: Int
        let peer: PeerID
        let session: SessionID
        /// At the caller's end.
        var isUp = true
    }

    mutating func tickPeer(of worker: Int) {
        while let due = peers[worker].nextTick, due <= now {
            guard apply(.tick, worker: worker) != nil else { return }
        }
    }

    /// An event of one connection; what comes of one that is closed is not seen.
    @discardableResult
    mutating func apply(_ event: PeerMachine.Event, _ peer: PeerID) -> PeerMachine.Effect? {
        guard let link = links.first(where: { $0.peer == peer }), link.isUp else { return nil }
        return apply(event, worker: link.worker)
    }

    private mutating func apply(_ event: PeerMachine.Event, worker: Int) -> PeerMachine.Effect? {
        let effect = peers[worker].handle(event, at: now, jitter: Double.random(in: 0...1, using: &random))
        guard let effect else { return nil }
        if effect == .connect {
            connect(worker)
        } else if let index = links.lastIndex(where: { $0.worker == worker }) {
            carryOut(effect, worker, index)
        }
        carryOutCaller()
        return effect
    }

    private mutating func carryOut(_ effect: PeerMachine.Effect, _ worker: Int, _ index: Int) {
        let link = links[index]
        switch effect {
        case .connect, .up: break
        case .pause:
            if case .draining = peers[worker].state { caller.drain(link.peer) } else { caller.pause(link.peer) }
        case .resume: caller.resume(link.peer, at: now, using: &random)
        case .beat:
            transmit(.toWorker(worker, link.session, .beat(sequence: caller.highestSequence(of: link.peer))))
        case .close:
            links[index].isUp = false
            caller.lost(link.peer, at: now, using: &random)
            // A callee learns of it, or finds out by the silence.
            if chance(50), link.epoch == epochs[worker] {
                workers[worker].gone(link.session)
                carryOut(worker, started: nil)
            }
        }
    }

    private mutating func connect(_ worker: Int) {
        let number = UInt64(links.count + 1)
        let link = Link(
            worker: worker, epoch: epochs[worker], peer: PeerID(rawValue: number),
            session: SessionID(rawValue: UInt32(number)))
        links.append(link)
        guard isAlive[worker] else { return schedule(.lost(link.peer, .notReached), in: 1...20) }
        schedule(.handshake(link.peer), in: 1...20)
        transmit(.toWorker(worker, link.session, .hello))
    }

    /// The process is gone with all that it had in memory; its store stays.
    mutating func kill(_ worker: Int) {
        guard isAlive[worker] else { return }
        epochs[worker] += 1
        isAlive[worker] = false
        workers[worker] = WorkerMachine(methods: Self.methods, limits: limits, now: now)
        // Its machine may say so, or be gone with it: then the silence does.
        if let link = links.last(where: { $0.worker == worker }), chance(50) {
            schedule(.lost(link.peer, .disconnected), in: 0...40)
        }
        if restarts { schedule(.start(worker), in: 50...400) }
    }

    /// The process is told to end.
    mutating func drain(_ worker: Int) {
        guard isAlive[worker] else { return }
        workers[worker].drain(at: now)
        carryOut(worker, started: nil)
    }
}
