import Domain
import TestSupport
import Testing
import Wire

@testable import Messaging

private let start = ContinuousClock.now
private let limits = BusLimits()
private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }
private let one = PeerID(rawValue: 1)
private let two = PeerID(rawValue: 2)

@Suite("What a call is told of its fate")
struct CallFateTests {
    private func sent(_ method: Method) -> RequestMachine {
        var call = RequestMachine(method: method, deadline: at(2_000), instance: nil)
        call.sent(to: one, sequence: 1)
        return call
    }

    @Test("a parked call that has an effect is repeated after a loss, as often as any keyed call")
    func parkedEffect() {
        var (call, budget) = (sent(Redeem.method), RetryBudget())
        for peer in 1...2 {
            #expect(call.lost(PeerID(rawValue: UInt64(peer)), limits: limits, budget: &budget, at: at(1)) == .again)
            call.sent(to: PeerID(rawValue: UInt64(peer + 1)), sequence: 1)
        }
        #expect(call.lost(PeerID(rawValue: 3), limits: limits, budget: &budget, at: at(1)) == .end(.unknown))
    }

    @Test("a refusal after a lost attempt leaves the doubt: the lost one may have run", arguments: NackReason.allCases)
    func refusedAfterLoss(_ reason: NackReason) {
        var (call, budget) = (sent(IssueToken.method), RetryBudget())
        #expect(call.lost(one, limits: limits, budget: &budget, at: at(1)) == .again)
        var decision = RequestMachine.Decision.again
        for sequence in 1...UInt64(limits.refusalsMax + 1) where decision == .again {
            call.sent(to: two, sequence: sequence)
            decision = call.refused(reason, by: two, sequence: sequence, limits: limits, at: at(2))
        }
        #expect(decision == .end(.unknown))
    }

    @Test("a refusal without a lost attempt is told as it is", arguments: NackReason.allCases)
    func refused(_ reason: NackReason) {
        var call = sent(IssueToken.method)
        var decision = call.refused(reason, by: one, sequence: 1, limits: limits, at: at(1))
        for sequence in 2...UInt64(limits.refusalsMax + 1) where decision == .again {
            call.sent(to: one, sequence: sequence)
            decision = call.refused(reason, by: one, sequence: sequence, limits: limits, at: at(2))
        }
        #expect(decision == .end(.refused(reason)))
    }

    @Test("a method that one instance does not know goes to the one that does, and from then on there at once")
    func newerMethod() throws {
        var (caller, random) = (CallerMachine(service: .policy, limits: limits), SeededGenerator(seed: 1))
        caller.up(one, instance: InstanceID(rawValue: 1), credit: 9, at: at(0), using: &random)
        let added = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(0), using: &random)
        let first = try #require(added)
        caller.up(two, instance: InstanceID(rawValue: 2), credit: 1, at: at(0), using: &random)
        _ = caller.takeEffects()
        caller.refused(one, sequence: 1, .noMethod, at: at(1), using: &random)
        #expect(caller.takeEffects() == [.send(first, to: two, sequence: 1, attempt: 1, isRetry: false)])
        // The one that knows it has no credit left: this one waits for it, and what the other knows passes by.
        let waits = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(2), using: &random)
        let passes = caller.add(AuthenticateToken.method, deadline: at(1_000), instance: nil, at: at(2), using: &random)
        let passesCall = try #require(passes)
        #expect(caller.takeEffects() == [.send(passesCall, to: one, sequence: 2, attempt: 0, isRetry: false)])
        caller.granted(two, credit: 2, at: at(3), using: &random)
        let waitsCall = try #require(waits)
        #expect(caller.takeEffects() == [.send(waitsCall, to: two, sequence: 2, attempt: 0, isRetry: false)])
    }

    /// Counts what is drawn.
    private struct CountingGenerator: RandomNumberGenerator {
        var seeded = SeededGenerator(seed: 1)
        var drawn = 0

        mutating func next() -> UInt64 {
            drawn += 1
            return seeded.next()
        }
    }

    @Test("calls of a newer method wait apart for who knows it: others pass, and cost the same however many wait")
    func manyOfANewerMethod() throws {
        var (caller, random) = (CallerMachine(service: .policy, limits: limits), CountingGenerator())
        let old = [one, PeerID(rawValue: 3)]
        for peer in old {
            caller.up(peer, instance: InstanceID(rawValue: peer.rawValue), credit: 100, at: at(0), using: &random)
        }
        _ = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(0), using: &random)
        _ = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(0), using: &random)
        caller.up(two, instance: InstanceID(rawValue: 2), credit: 0, at: at(0), using: &random)
        // A silent one may come back.
        caller.pause(two)
        // What the first has refused is asked of the second too.
        for (peer, sequence) in [(old[0], UInt64(1)), (old[1], 1), (old[1], 2)] {
            caller.refused(peer, sequence: sequence, .noMethod, at: at(1), using: &random)
        }
        #expect(caller.queuedCount == 2)
        func drawn(waiting: Int) throws -> Int {
            while caller.queuedCount < waiting {
                _ = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(2), using: &random)
            }
            (random.drawn, _) = (0, caller.takeEffects())
            let passes = caller.add(
                AuthenticateToken.method, deadline: at(1_000), instance: nil, at: at(2), using: &random)
            guard case .send(let key, _, _, _, _)? = caller.takeEffects().first else { return -1 }
            #expect(key == passes)
            return random.drawn
        }
        // The two old ones are equal again after two calls.
        let few = try [drawn(waiting: 2), drawn(waiting: 2)]
        let many = try [drawn(waiting: 2_000), drawn(waiting: 2_000)]
        #expect(few == many)

        caller.resume(two, at: at(3), using: &random)
        caller.granted(two, credit: 1_500, at: at(3), using: &random)
        let sent = caller.takeEffects().compactMap { effect in
            if case .send(let key, two, _, _, _) = effect { key } else { nil }
        }
        #expect(sent.count == 1_500 && caller.queuedCount == 500)
        // The only one that knows it goes: what it had may have been done, what waited was not.
        caller.lost(two, at: at(4), using: &random)
        let ends = caller.takeEffects().compactMap { effect in
            if case .finish(let key, .refused(.noMethod)) = effect { key } else { nil }
        }
        #expect(ends.count == 500 && caller.queuedCount == 0 && Set(ends).isDisjoint(with: sent))
    }

    @Test("a method that no instance knows ends as not executed, at once, and is asked of an instance that comes later")
    func unknownMethod() throws {
        var (caller, random) = (CallerMachine(service: .policy, limits: limits), SeededGenerator(seed: 1))
        caller.up(one, instance: InstanceID(rawValue: 1), credit: 9, at: at(0), using: &random)
        let added = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(0), using: &random)
        let first = try #require(added)
        _ = caller.takeEffects()
        caller.refused(one, sequence: 1, .noMethod, at: at(1), using: &random)
        #expect(caller.takeEffects() == [.finish(first, .refused(.noMethod))])
        let next = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(2), using: &random)
        let nextCall = try #require(next)
        #expect(caller.takeEffects() == [.finish(nextCall, .refused(.noMethod))])
        #expect(caller.queuedCount == 0 && caller.callCount == 0)
        caller.up(two, instance: InstanceID(rawValue: 2), credit: 9, at: at(3), using: &random)
        _ = caller.takeEffects()
        let later = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(4), using: &random)
        let laterCall = try #require(later)
        #expect(caller.takeEffects() == [.send(laterCall, to: two, sequence: 1, attempt: 0, isRetry: false)])
    }

    @Test("the error of a method that nobody knows says that it was not executed and when to ask again")
    func unknownMethodsError() {
        let error = Engine.error(for: .refused(.noMethod), IssueToken.method)
        #expect(error.code == .unavailable && !error.isOutcomeUnknown && error.retryAfter == .seconds(5))
    }

    @Test("a callee that knows no session gets nothing more: the call waits for another, and nothing is in doubt")
    func noSession() throws {
        var (caller, random) = (CallerMachine(service: .policy, limits: limits), SeededGenerator(seed: 1))
        caller.up(one, instance: InstanceID(rawValue: 1), credit: 9, at: at(0), using: &random)
        let key = caller.add(IssueToken.method, deadline: at(1_000), instance: nil, at: at(0), using: &random)
        let call = try #require(key)
        _ = caller.takeEffects()
        caller.refused(one, sequence: 1, .noSession, at: at(1), using: &random)
        #expect(caller.takeEffects().contains(.readyInstances([])))
        #expect(caller.outstandingCount(of: one) == 0)
        caller.lost(one, at: at(2), using: &random)
        caller.up(two, instance: InstanceID(rawValue: 2), credit: 9, at: at(3), using: &random)
        #expect(caller.takeEffects().contains(.send(call, to: two, sequence: 1, attempt: 1, isRetry: false)))
    }

    @Test("a parked call that ends gives its place to the next in line", arguments: [true, false])
    func parkedPlace(_ isReplied: Bool) throws {
        var limits = limits
        limits.parkedPerConnectionMax = 1
        var (caller, random) = (CallerMachine(service: .policy, limits: limits), SeededGenerator(seed: 1))
        caller.up(one, instance: InstanceID(rawValue: 1), credit: 0, at: at(0), using: &random)
        let keys = [1, 2].map { _ in
            caller.add(WatchPolicy.method, deadline: at(1_000), instance: nil, at: at(0), using: &random)
        }
        let (first, second) = (try #require(keys[0]), try #require(keys[1]))
        let sequence = Sequence.parkedBit | 1
        #expect(caller.queuedCount == 1)
        _ = caller.takeEffects()
        if isReplied {
            caller.replied(one, sequence: sequence, at: at(1), using: &random) { $0 == first }
        } else {
            caller.cancel(first, at: at(1), using: &random)
        }
        #expect(
            caller.takeEffects().contains(
                .send(second, to: one, sequence: sequence + 1, attempt: 0, isRetry: false)))
    }
}
