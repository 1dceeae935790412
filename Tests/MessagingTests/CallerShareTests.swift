import TestSupport
import Testing
import Wire

@testable import Messaging

private let start = ContinuousClock.now
private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }
private let one = PeerID(rawValue: 1)
private let two = PeerID(rawValue: 2)

@Suite("Who gets the next call, and how often one is repeated", .timeLimit(.minutes(1)))
struct CallerShareTests {
    /// Why a callee gets nothing new, and how it gets something again.
    enum Doubt: CaseIterable {
        case silent, draining, busy, lost
    }

    private func caller() -> (CallerMachine, SeededGenerator) {
        var (caller, random) = (CallerMachine(service: .policy, limits: BusLimits()), SeededGenerator(seed: 1))
        caller.up(one, instance: InstanceID(rawValue: 1), credit: 512, at: at(0), using: &random)
        caller.up(two, instance: InstanceID(rawValue: 2), credit: 512, at: at(0), using: &random)
        return (caller, random)
    }

    /// Makes a call and says who got it, and as which sequence.
    private func ask(_ caller: inout CallerMachine, _ random: inout SeededGenerator) -> (PeerID, UInt64)? {
        _ = caller.add(IssueToken.method, deadline: at(60_000), instance: nil, at: at(1), using: &random)
        for case .send(_, let peer, let sequence, _, _) in caller.takeEffects() { return (peer, sequence) }
        return nil
    }

    @Test("a callee that leaves a call unanswered gets no other while there is one that answers")
    func slow() {
        var (caller, random) = caller()
        for _ in 0..<200 {
            guard let (peer, sequence) = ask(&caller, &random) else { continue }
            if peer == two { caller.replied(two, sequence: sequence, at: at(2), using: &random) { _ in true } }
        }
        #expect(caller.outstandingCount(of: one) == 1)
        #expect(caller.outstandingCount(of: two) == 0)
    }

    @Test("one that is silent, drains, is busy or lost gets nothing new", arguments: Doubt.allCases)
    func doubted(_ doubt: Doubt) {
        var (caller, random) = caller()
        // The other has more to do than it, so that it would be chosen.
        caller.pause(one)
        for _ in 0..<10 { _ = ask(&caller, &random) }
        caller.resume(one, at: at(1), using: &random)
        let first = ask(&caller, &random)
        #expect(first?.0 == one)
        switch doubt {
        case .silent: caller.pause(one)
        case .draining: caller.drain(one)
        case .busy: caller.refused(one, sequence: first?.1 ?? 0, .busy, at: at(1), using: &random)
        case .lost: caller.lost(one, at: at(1), using: &random)
        }
        _ = caller.takeEffects()
        for _ in 0..<20 {
            let next = ask(&caller, &random)
            #expect(next?.0 == two)
        }
    }

    @Test("what fails everywhere is asked again within the budget: retries do not multiply a failure")
    func budget() async throws {
        let (buses, asked, calls) = (PolicyBuses(), Tally(), 4_000)
        let worker = try buses.worker { routes in
            routes.on(AuthenticateToken.self) { _, _ in
                asked.add()
                throw ServiceError(.unavailable, "nobody knows", members: ["outcome": "unknown"])
            }
        }
        let caller = try buses.caller()
        let begin = ContinuousClock.now
        try await Fixture.run([worker, caller]) {
            await Fixture.ready(caller, .policy)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<calls {
                    group.addTask {
                        let error = await failure { _ = try await caller.call(question(""), Fixture.context()) }
                        #expect(error?.isOutcomeUnknown == true)
                    }
                }
            }
        }
        let seconds = Double((ContinuousClock.now - begin).components.seconds + 1)
        let retries = Double(asked.count - calls)
        #expect(retries <= RetryBudget.capacity + seconds * RetryBudget.perSecond)
        // As many as it has, though each may be asked twice more.
        #expect(retries >= RetryBudget.capacity)
    }
}
