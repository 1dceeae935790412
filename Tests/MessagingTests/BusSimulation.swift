import Domain
import TestSupport
import Wire

@testable import Messaging

/// Callers and callees made of the pure machines alone, on a virtual clock and a network that loses, repeats, delays and reorders.
/// The same seed gives the same run.
struct BusSimulation {
    enum Frame {
        case hello
        case ready(InstanceID, credit: UInt64)
        case request(sequence: UInt64, RequestID, method: UInt16, deadline: ContinuousClock.Instant)
        case reply(sequence: UInt64, RequestID, credit: UInt64)
        case nack(sequence: UInt64, NackReason, credit: UInt64)
        case cancel(sequence: UInt64)
        case credit(UInt64)
        case beat(sequence: UInt64)
        case goAway
    }

    enum Event {
        case toWorker(Int, SessionID, Frame)
        case toCaller(PeerID, Frame)
        case finish(worker: Int, epoch: Int, SlabKey, RequestID)
        case call(UInt64, Method)
        case cancel(SlabKey)
        case kill(Int)
        case drain(Int)
        case start(Int)
        case handshake(PeerID)
        case lost(PeerID, PeerMachine.Loss)
        case tick
    }

    var random: SeededGenerator
    var now: ContinuousClock.Instant
    let start: ContinuousClock.Instant
    var limits = BusLimits()
    var caller: CallerMachine
    var workers: [WorkerMachine] = []
    var epochs: [Int] = []
    /// Whether the process of each runs.
    var isAlive: [Bool] = []
    var peers: [PeerMachine] = []
    /// Every connection there has been, oldest first.
    var links: [Link] = []
    var queue = TimerHeap<ContinuousClock.Instant, Int>()
    var events: [Event] = []
    var trouble = true
    /// For the test of the checks themselves.
    var forgetsEffects = false
    var restarts = true
    /// Even seeds keep what a connection carries to its callee in order and never repeat a request there, as TCP does: only then can
    /// NACK's word be held to, and is no request taken for an old one.
    let repeatsRequests: Bool
    var lastArrivals: [SessionID: ContinuousClock.Instant] = [:]

    /// The shared store: request ids that had their effect. A second commit of one is refused, as a memo's key does.
    var effects: Set<RequestID> = []
    var answered: [RequestID: Int] = [:]
    var ended: [SlabKey: RequestMachine.Outcome] = [:]
    var ids: [SlabKey: RequestID] = [:]
    /// Requests that only read: one that was stopped has had no effect.
    var reads: Set<RequestID> = []
    var stopped: [Set<SlabKey>] = []
    var accepted = 0
    var failures: [String] = []

    static let methods = [IssueToken.method.id: IssueToken.method, WatchPolicy.method.id: WatchPolicy.method]

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        repeatsRequests = seed % 2 == 1
        start = ContinuousClock.now
        now = start
        limits.windowMax = 4
        limits.runningMax = 6
        limits.queuedCallsMax = 200
        limits.heartbeatInterval = .milliseconds(200)
        limits.drainTimeout = .milliseconds(800)
        caller = CallerMachine(service: .policy, limits: limits)
        for _ in 0..<3 {
            workers.append(WorkerMachine(methods: Self.methods, limits: limits, now: now))
            epochs.append(0)
            isAlive.append(true)
            stopped.append([])
            peers.append(PeerMachine(limits: limits, now: now))
        }
    }

    mutating func schedule(_ event: Event, in range: ClosedRange<Int>) {
        events.append(event)
        queue.insert(events.count - 1, due: now + .milliseconds(Int.random(in: range, using: &random)))
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    /// A frame on its way: with trouble it may be lost, come twice, or come late and out of order.
    mutating func transmit(_ event: Event) {
        if trouble, chance(4) { return }
        if !repeatsRequests, case .toWorker(_, let session, _) = event { return keepOrder(event, session) }
        schedule(event, in: trouble ? 1...40 : 1...5)
        if trouble, chance(4) { schedule(event, in: 1...80) }
    }

    private mutating func keepOrder(_ event: Event, _ session: SessionID) {
        let arrival = now + .milliseconds(Int.random(in: trouble ? 1...40 : 1...5, using: &random))
        let due = max(arrival, lastArrivals[session].map { $0 + .microseconds(1) } ?? arrival)
        lastArrivals[session] = due
        events.append(event)
        queue.insert(events.count - 1, due: due)
    }

    /// Plays until everything has ended, or says what went wrong.
    mutating func run(calls: Int) -> [String] {
        for number in 0..<calls {
            schedule(.call(UInt64(number), chance(20) ? WatchPolicy.method : IssueToken.method), in: 0...2_000)
        }
        for _ in 0..<6 { schedule(.kill(Int.random(in: 0..<3, using: &random)), in: 100...2_500) }
        for _ in 0..<2 { schedule(.drain(Int.random(in: 0..<3, using: &random)), in: 100...2_500) }
        for tick in 1...180 { queueTick(tick * 50) }
        while let due = queue.next {
            now = max(now, due)
            // I5: after three seconds the network is well; everything must end within the deadlines.
            trouble = now < start + .seconds(3)
            while let index = queue.popDue(at: now) { play(events[index]) }
            check()
        }
        if caller.callCount != 0 { failures.append("I5: \(caller.callCount) calls never ended") }
        if ended.count != accepted { failures.append("I1: \(accepted) accepted, \(ended.count) ended") }
        if workers.contains(where: { $0.runningCount != 0 || $0.parkedCount != 0 }) {
            failures.append("I4: something runs for ever")
        }
        checkHonesty()
        if peers.contains(where: { $0.state != .ready }) { failures.append("I7: a callee that is well is not ready") }
        return failures
    }

    /// I2 as its caller sees it: "not executed" is true, "replied" too, and no effect is nobody's.
    private mutating func checkHonesty() {
        if !effects.isSubset(of: ids.values) { failures.append("I2: an effect that nobody asked for") }
        for (key, outcome) in ended {
            guard let id = ids[key] else { continue }
            switch outcome {
            case .replied: if !effects.contains(id) { failures.append("I2: a reply without an effect") }
            case .refused, .expired(wasSent: false), .cancelled(wasSent: false), .instanceGone(wasSent: false):
                if !repeatsRequests, effects.contains(id) { failures.append("I2: \(outcome), yet it was executed") }
            default: break
            }
        }
    }

    private mutating func queueTick(_ milliseconds: Int) {
        events.append(.tick)
        queue.insert(events.count - 1, due: start + .milliseconds(milliseconds))
    }

    private mutating func check() {
        if caller.queuedCount > limits.queuedCallsMax + 40 {
            failures.append("I4: the line grew to \(caller.queuedCount)")
        }
        for worker in workers where worker.runningCount > limits.runningMax {
            failures.append("I4: \(worker.runningCount) run")
        }
    }

    private mutating func play(_ event: Event) {
        switch event {
        case .call(let number, let method): begin(number, method)
        case .cancel(let key): caller.cancel(key, at: now, using: &random)
        case .kill(let worker): kill(worker)
        case .drain(let worker): drain(worker)
        case .start(let worker): isAlive[worker] = true
        case .handshake(let peer): apply(.handshakeSucceeded, peer)
        case .lost(let peer, let loss): apply(.lost(loss), peer)
        case .finish(let worker, let epoch, let key, let id): if epochs[worker] == epoch { finish(worker, key, id) }
        case .toWorker(let worker, let session, let frame): take(frame, worker, session)
        case .toCaller(let peer, let frame): take(frame, peer)
        case .tick: tick()
        }
        carryOutCaller()
    }

    private mutating func begin(_ number: UInt64, _ method: Method) {
        let deadline = now + .milliseconds(Int.random(in: 50...3_000, using: &random))
        guard let key = caller.add(method, deadline: deadline, instance: nil, at: now, using: &random) else { return }
        accepted += 1
        ids[key] = RequestID(high: 7, low: number)
        if method.effect == .reads { reads.insert(RequestID(high: 7, low: number)) }
        if chance(5) { schedule(.cancel(key), in: 1...200) }
    }

    private mutating func tick() {
        caller.advance(to: now, using: &random)
        carryOutCaller()
        for worker in workers.indices {
            workers[worker].advance(to: now)
            carryOut(worker, started: nil)
            tickPeer(of: worker)
        }
    }

    // MARK: the callee's end

    private mutating func take(_ frame: Frame, _ worker: Int, _ session: SessionID) {
        guard isAlive[worker] else { return }
        switch frame {
        case .hello:
            // It is the first frame of a connection, which ended with the process that it was made to.
            guard let link = links.first(where: { $0.session == session }), link.epoch == epochs[worker] else { return }
            workers[worker].hello(session, caller: .gateway, at: now)
            carryOut(worker, started: nil)
        case .request(let sequence, let id, let method, let deadline):
            let request = WorkerMachine.Request(
                sequence: sequence, requestID: id, method: method, deadline: deadline, bodyDigest: 0)
            workers[worker].request(request, from: session, at: now)
            carryOut(worker, started: id)
        case .cancel(let sequence):
            workers[worker].cancel(session, sequence: sequence, at: now)
            carryOut(worker, started: nil)
        case .beat(let sequence): workers[worker].heard(session, highestSequence: sequence, at: now)
        default: break
        }
    }

    mutating func carryOut(_ worker: Int, started id: RequestID?) {
        for effect in workers[worker].takeEffects() {
            switch effect {
            case .joined, .ignored: continue
            case .start(let key):
                guard let id else { continue }
                schedule(.finish(worker: worker, epoch: epochs[worker], key, id), in: 1...300)
            case .nack(let session, let sequence, _, _, let reason):
                answer(worker, session) { .nack(sequence: sequence, reason, credit: $0) }
            case .reply(let session, let sequence, _, let id):
                answer(worker, session) { .reply(sequence: sequence, id, credit: $0) }
            case .credit(let session), .beat(let session): answer(worker, session) { .credit($0) }
            case .goAway(let session, _): answer(worker, session) { _ in .goAway }
            case .ready(let session, _):
                let instance = InstanceID(rawValue: UInt64(epochs[worker] * 3 + worker + 1))
                answer(worker, session) { .ready(instance, credit: $0) }
            case .drained: kill(worker)
            case .stop(let key): stopped[worker].insert(key)
            }
        }
    }

    private mutating func answer(_ worker: Int, _ session: SessionID, _ frame: (UInt64) -> Frame) {
        guard let link = links.first(where: { $0.session == session }), link.isUp else { return }
        transmit(.toCaller(link.peer, frame(workers[worker].creditLimit(of: session))))
    }

    /// The handler commits, keyed by its request id, and then replies.
    private mutating func finish(_ worker: Int, _ key: SlabKey, _ id: RequestID) {
        let hasEffect = stopped[worker].remove(key) == nil || !reads.contains(id)
        if hasEffect, !forgetsEffects { effects.insert(id) }
        workers[worker].finished(key)
        carryOut(worker, started: nil)
    }

    // MARK: the caller's end

    private mutating func take(_ frame: Frame, _ peer: PeerID) {
        if case .ready = frame {} else { apply(.received, peer) }
        switch frame {
        case .ready(let instance, let credit):
            guard apply(.ready(heartbeat: limits.heartbeatInterval), peer) == .up else { return }
            caller.up(peer, instance: instance, credit: credit, at: now, using: &random)
        case .reply(let sequence, let id, let credit):
            let key = caller.replied(peer, sequence: sequence, at: now, using: &random) { [ids] in ids[$0] == id }
            if let key {
                answered[id, default: 0] += 1
                // I3: the reply is for this very request, whose effect is in the store.
                if ids[key] != id || !effects.contains(id) { failures.append("I3: a reply met another call") }
            }
            caller.granted(peer, credit: credit, at: now, using: &random)
        case .nack(let sequence, let reason, let credit):
            caller.granted(peer, credit: credit, at: now, using: &random)
            caller.refused(peer, sequence: sequence, reason, at: now, using: &random)
            // Decided before the connection's state changes.
            carryOutCaller()
            if reason == .noSession { apply(.lost(.noSession), peer) }
            if reason == .draining { apply(.goAway, peer) }
        case .credit(let credit): caller.granted(peer, credit: credit, at: now, using: &random)
        case .goAway: apply(.goAway, peer)
        case .hello, .request, .cancel, .beat: break
        }
    }

    mutating func carryOutCaller() {
        for effect in caller.takeEffects() {
            switch effect {
            case .send(let key, let peer, let sequence, _, _):
                guard let link = links.first(where: { $0.peer == peer }), let id = ids[key] else { continue }
                if peers[link.worker].state != .ready { failures.append("I6: work for a callee that is not ready") }
                let method = Sequence.isParked(sequence) ? WatchPolicy.method.id : IssueToken.method.id
                transmit(
                    .toWorker(
                        link.worker, link.session,
                        .request(sequence: sequence, id, method: method, deadline: now + .seconds(3))))
            case .cancel(let peer, let sequence):
                guard let link = links.first(where: { $0.peer == peer }), link.isUp else { continue }
                transmit(.toWorker(link.worker, link.session, .cancel(sequence: sequence)))
            case .finish(let key, let outcome):
                if ended.updateValue(outcome, forKey: key) != nil { failures.append("I1: a call ended twice") }
            case .empty(let peer): apply(.outstandingEmpty, peer)
            case .readyInstances: break
            }
        }
    }
}
