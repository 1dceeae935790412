import Domain
import Testing
import Wire

@testable import Messaging

private let start = ContinuousClock.now
private let limits = BusLimits()
private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

@Suite("The connection to a callee")
struct PeerMachineTests {
    private func ready() -> PeerMachine {
        var peer = PeerMachine(limits: limits, now: start)
        #expect(peer.handle(.tick, at: at(0), jitter: 0) == .connect)
        #expect(peer.handle(.handshakeSucceeded, at: at(1), jitter: 0) == nil)
        #expect(peer.handle(.ready(heartbeat: .seconds(1)), at: at(2), jitter: 0) == .up)
        return peer
    }

    @Test("beats every second, doubts after one and a half, gives up after three")
    func silence() {
        var peer = ready()
        #expect(peer.handle(.tick, at: at(1_002), jitter: 0) == .beat)
        #expect(peer.handle(.tick, at: at(1_502), jitter: 0) == .pause)
        #expect(peer.state == .suspect)
        #expect(peer.handle(.received, at: at(1_600), jitter: 0) == .resume)
        #expect(peer.handle(.tick, at: at(4_600), jitter: 0) == .close(.silent))
    }

    @Test("the pause before the next attempt doubles to two seconds; being ready begins anew")
    func backOff() {
        var peer = PeerMachine(limits: limits, now: start)
        var (now, pauses) = (0, [Int]())
        for _ in 0..<8 {
            #expect(peer.handle(.tick, at: at(now), jitter: 1) == .connect)
            #expect(peer.handle(.lost(.notReached), at: at(now), jitter: 1) == .close(.notReached))
            guard case .waiting(let until) = peer.state else { return }
            pauses.append(Int(at(now).duration(to: until).milliseconds))
            now += pauses[pauses.count - 1]
        }
        #expect(pauses == [50, 100, 200, 400, 800, 1_600, 2_000, 2_000])
    }

    @Test("a callee that says goodbye keeps what is outstanding, then is closed")
    func goAway() {
        var peer = ready()
        #expect(peer.handle(.goAway, at: at(3), jitter: 0) == .pause)
        #expect(peer.handle(.received, at: at(4), jitter: 0) == nil)
        #expect(peer.handle(.outstandingEmpty, at: at(5), jitter: 0) == .close(.drained))
    }

    @Test("a callee that never says READY is given up; a late event of a lost epoch changes nothing")
    func noReady() {
        var peer = PeerMachine(limits: limits, now: start)
        _ = peer.handle(.tick, at: at(0), jitter: 0)
        _ = peer.handle(.handshakeSucceeded, at: at(1), jitter: 0)
        #expect(peer.handle(.tick, at: at(1_001), jitter: 0) == .close(.notReached))
        #expect(peer.handle(.lost(.disconnected), at: at(1_002), jitter: 0) == nil)
        #expect(peer.handle(.ready(heartbeat: .seconds(1)), at: at(1_003), jitter: 0) == nil)
    }
}

@Suite("A call, from its caller's side")
struct RequestMachineTests {
    private func call(_ method: Method) -> RequestMachine {
        var call = RequestMachine(method: method, deadline: at(2_000), instance: nil)
        call.sent(to: PeerID(rawValue: 1), sequence: 1)
        return call
    }

    @Test("a loss is retried twice within the deadline, then its fate is unknown")
    func loss() {
        var (call, budget) = (call(IssueToken.method), RetryBudget())
        for peer in 1...2 {
            #expect(call.lost(PeerID(rawValue: UInt64(peer)), limits: limits, budget: &budget, at: at(1)) == .again)
            call.sent(to: PeerID(rawValue: UInt64(peer + 1)), sequence: 1)
        }
        #expect(call.lost(PeerID(rawValue: 3), limits: limits, budget: &budget, at: at(1)) == .end(.unknown))
    }

    @Test("never after the deadline")
    func late() {
        var (call, budget) = (call(IssueToken.method), RetryBudget())
        #expect(call.lost(PeerID(rawValue: 1), limits: limits, budget: &budget, at: at(2_000)) == .end(.unknown))
    }

    @Test("a refusal means not executed: elsewhere at once, and no doubt remains")
    func refusal() {
        var call = call(IssueToken.method)
        #expect(call.refused(.draining, by: PeerID(rawValue: 1), sequence: 1, limits: limits, at: at(1)) == .again)
        #expect(call.expire() == .end(.expired(wasSent: false)))
        #expect(call.cancel() == .ignore)
    }

    @Test("a reply of an earlier attempt is not taken")
    func staleReply() {
        var (call, budget) = (call(IssueToken.method), RetryBudget())
        _ = call.lost(PeerID(rawValue: 1), limits: limits, budget: &budget, at: at(1))
        #expect(call.replied(by: PeerID(rawValue: 1), sequence: 1) == .ignore)
        call.sent(to: PeerID(rawValue: 2), sequence: 9)
        #expect(call.replied(by: PeerID(rawValue: 2), sequence: 9) == .end(.replied))
    }

    @Test("the budget lets a burst through, then ten retries a second and one for ten successes")
    func budget() {
        var budget = RetryBudget()
        while budget.spend(at: at(0)) {}
        let spent = [50, 150, 150].map { budget.spend(at: at($0)) }
        #expect(spent == [false, true, false])
        for _ in 0..<10 { budget.succeeded() }
        let earned = budget.spend(at: at(150))
        #expect(earned)
    }
}

@Suite("The answering side")
struct WorkerMachineTests {
    private let one = SessionID(rawValue: 1)
    private let two = SessionID(rawValue: 2)

    private func worker(_ limits: BusLimits = limits) -> WorkerMachine {
        let methods = [IssueToken.method, WatchPolicy.method, AuthenticateToken.method]
        var worker = WorkerMachine(
            methods: Dictionary(uniqueKeysWithValues: methods.map { ($0.id, $0) }), limits: limits, now: start)
        worker.hello(one, caller: .gateway, at: start)
        worker.hello(two, caller: .gateway, at: start)
        _ = worker.takeEffects()
        return worker
    }

    private func request(_ sequence: UInt64, id: UInt64 = 1, method: UInt16 = 102, deadline: Int = 1_000, body: Int = 0)
        -> WorkerMachine.Request
    {
        WorkerMachine.Request(
            sequence: sequence, requestID: RequestID(high: 0, low: id), method: method, deadline: at(deadline),
            bodyDigest: body)
    }

    private func refusal(_ worker: inout WorkerMachine) -> NackReason? {
        for case .nack(_, _, _, _, let reason) in worker.takeEffects() { return reason }
        return nil
    }

    @Test("a second request with the same id joins the first, and both get the reply")
    func join() {
        var worker = worker()
        worker.request(request(1), from: one, at: at(1))
        guard case .start(let key)? = worker.takeEffects().first else {
            return #expect(Bool(false), "it does not start")
        }
        worker.request(request(1), from: two, at: at(2))
        #expect(worker.takeEffects() == [.joined(method: 102)])
        worker.finished(key)
        let id = RequestID(high: 0, low: 1)
        #expect(
            worker.takeEffects() == [
                .reply(one, sequence: 1, method: 102, id), .reply(two, sequence: 1, method: 102, id),
            ])
    }

    @Test("nobody is told READY, and nothing is started, before the process can serve; then all are told")
    func opening() {
        var worker = WorkerMachine(
            methods: [IssueToken.method.id: IssueToken.method], limits: limits, now: start, isOpen: false)
        worker.hello(one, caller: .gateway, at: start)
        #expect(worker.takeEffects() == [])
        worker.request(request(1), from: one, at: at(1))
        #expect(refusal(&worker) == .busy)
        worker.open()
        #expect(worker.takeEffects() == [.ready(one, creditLimit: worker.creditLimit(of: one))])
        worker.hello(two, caller: .gateway, at: at(2))
        #expect(worker.takeEffects() == [.ready(two, creditLimit: worker.creditLimit(of: two))])
        worker.open()
        #expect(worker.takeEffects() == [])
    }

    @Test("who drains before it could serve sends its callers away, and is never ready")
    func neverOpened() {
        var worker = WorkerMachine(methods: [:], limits: limits, now: start, isOpen: false)
        worker.hello(one, caller: .gateway, at: start)
        worker.drain(at: at(1))
        #expect(worker.takeEffects() == [.goAway(one, lastSequence: 0), .drained])
        worker.open()
        #expect(worker.takeEffects() == [])
    }

    @Test("the same id with another body is another execution: its refusal is the store's")
    func otherBody() {
        var worker = worker()
        worker.request(request(1, body: 1), from: one, at: at(1))
        worker.request(request(2, body: 2), from: one, at: at(1))
        #expect(worker.runningCount == 2)
    }

    @Test("who did not say HELLO, may not ask, is late, asks for nothing known or more than its credit is refused")
    func refusals() {
        var limits = limits
        limits.windowMax = 1
        var worker = worker(limits)
        worker.request(request(1), from: SessionID(rawValue: 9), at: at(1))
        #expect(refusal(&worker) == .noSession)
        worker.request(request(1, method: 999), from: two, at: at(1))
        #expect(refusal(&worker) == .noMethod)
        worker.hello(SessionID(rawValue: 3), caller: .notifier, at: at(1))
        worker.request(request(1), from: SessionID(rawValue: 3), at: at(1))
        #expect(refusal(&worker) == .denied)
        worker.request(request(1, deadline: 0), from: one, at: at(1))
        #expect(refusal(&worker) == .expired)
        worker.request(request(50), from: one, at: at(1))
        #expect(refusal(&worker) == .busy)
        worker.request(request(2, method: 103), from: two, at: at(1))
        #expect(refusal(&worker) == .noMethod, "a parked method must use a parked sequence")
        worker.drain(at: at(1))
        _ = worker.takeEffects()
        worker.request(request(3), from: two, at: at(1))
        #expect(refusal(&worker) == .draining)
    }

    @Test("a request that has no more than a millisecond left is late")
    func late() {
        var worker = worker()
        worker.request(request(1, deadline: 2), from: one, at: at(1))
        #expect(refusal(&worker) == .expired)
        worker.request(request(2, deadline: 3), from: one, at: at(1))
        #expect(refusal(&worker) == nil)
        #expect(worker.runningCount == 1)
    }

    @Test("a sequence that was used before starts nothing", arguments: [0, Sequence.parkedBit])
    func oldSequence(_ bit: UInt64) {
        var worker = worker()
        let method = bit == 0 ? IssueToken.method.id : WatchPolicy.method.id
        for sequence: UInt64 in [2, 3] {
            worker.request(request(bit | sequence, id: sequence, method: method), from: one, at: at(1))
            guard case .start(let key)? = worker.takeEffects().first else {
                return #expect(Bool(false), "it does not start")
            }
            worker.finished(key)
            _ = worker.takeEffects()
        }
        for sequence: UInt64 in 1...3 {
            worker.request(request(bit | sequence, id: 9, method: method), from: one, at: at(2))
        }
        #expect(worker.runningCount + worker.parkedCount == 0)
        #expect(refusal(&worker) == nil, "it may have run, so it is not called unexecuted")
    }

    @Test("a handler is stopped when nobody wants its reply, not before")
    func unwanted() {
        var worker = worker()
        worker.request(request(1), from: one, at: at(1))
        worker.request(request(1), from: two, at: at(1))
        guard case .start(let key)? = worker.takeEffects().first else {
            return #expect(Bool(false), "it does not start")
        }
        worker.cancel(one, sequence: 1, at: at(2))
        #expect(worker.takeEffects() == [])
        worker.gone(two)
        #expect(worker.takeEffects() == [.stop(key)])
        worker.finished(key)
        #expect(worker.takeEffects() == [.credit(one)])
    }

    @Test("a silent caller is forgotten after three beats, and its requests are stopped")
    func silentCaller() {
        var worker = worker()
        worker.request(request(1), from: one, at: at(1))
        guard case .start(let key)? = worker.takeEffects().first else {
            return #expect(Bool(false), "it does not start")
        }
        for beat in 1...3 {
            worker.heard(two, at: at(beat * 1_000))
            worker.advance(to: at(beat * 1_000 + 2))
        }
        #expect(worker.takeEffects().contains(.stop(key)))
        #expect(worker.sessionCount == 1)
    }

    @Test("credit never falls, and a lost request is made good by the next beat")
    func credit() {
        var worker = worker()
        let first = worker.creditLimit(of: one)
        worker.heard(one, highestSequence: 5, at: at(1))
        let second = worker.creditLimit(of: one)
        #expect(second == first + 5)
        worker.heard(one, highestSequence: 3, at: at(2))
        worker.heard(one, highestSequence: .max, at: at(3))
        let third = worker.creditLimit(of: one)
        #expect(third == second)
    }
}
