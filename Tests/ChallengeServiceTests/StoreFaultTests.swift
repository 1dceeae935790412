import Domain
import Foundation
import ServiceKit
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

typealias StoreFault = FailingStore<any ChallengeRecords>.Fault

@Suite("A store that fails")
struct StoreFaultTests {
    static let faults: [StoreFault] = [.beforeBody, .atCommit]

    @Test("nothing begins: no reply, no line in the log, no message, nobody waits", arguments: faults)
    func begin(_ fault: StoreFault) async throws {
        let bench = try ChallengeBench()
        bench.store.fail(fault)
        let key = bench.key("k")
        #expect(await bench.refusal { try await bench.begin(id: key) }?.code == .unavailable)
        bench.store.mend()
        #expect(try await bench.store.read { try $0.signIns(tenant: ChallengeBench.demo, .init(), limit: 10) }.isEmpty)
        #expect(try await bench.outbox().isEmpty)
        #expect(try await bench.pending().isEmpty)
        #expect(bench.service.deadlines.next == nil)
        await bench.deliver()
        #expect(bench.neighbours.notified.isEmpty)
        // The failed attempt left its key free.
        #expect(try await bench.status(bench.begin(id: key)) == "pending")
    }

    @Test("no answer is accepted, the page does not move, and the same answer is accepted later", arguments: faults)
    func settle(_ fault: StoreFault) async throws {
        for decision in Decision.allCases {
            let bench = try ChallengeBench()
            let begun = try await bench.begin()
            let messages = try await bench.outbox()
            let answer = try await bench.answer(begun.id, decision, number: begun.number)
            bench.store.fail(fault)
            #expect(await bench.refusal { try await bench.settle(answer) }?.code == .unavailable)
            bench.store.mend()
            #expect(try await bench.status(begun) == "pending")
            #expect(try await bench.line(begun.id)?.status == .pending)
            #expect(try await bench.outbox() == messages)
            #expect(try await bench.budget() == RequestBudget())
            #expect(try await bench.settle(answer).status == (decision == .approve ? "approved" : "denied"))
        }
    }

    @Test("a wrong number that could not be stored uses up no try", arguments: faults)
    func wrongNumber(_ fault: StoreFault) async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 2 }
        let begun = try await bench.begin()
        bench.store.fail(fault)
        for attempt in 0..<5 {
            let wrong = try await bench.answer(begun.id, number: begun.wrongNumber) { $0.answer = "\(attempt)" }
            #expect(await bench.refusal { try await bench.settle(wrong) }?.code == .unavailable)
        }
        bench.store.mend()
        #expect(try await bench.record(begun.id)?.machine.state.triesLeft == 2)
    }

    @Test("who waits hears of nothing that was not stored", arguments: faults)
    func waiting(_ fault: StoreFault) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let end = bench.now + .seconds(25)
        let wait = Task { try await bench.outcome(begun, waitMs: 25_000) }
        while bench.service.deadlines.next != end { await Task.yield() }
        bench.store.fail(fault)
        #expect(await bench.refusal { try await bench.approve(begun) } != nil)
        #expect(bench.service.outcomes.watchers == 1)
        bench.store.mend()
        await bench.elapse(.seconds(25))
        #expect(try await wait.value.status == "pending")
    }

    @Test("nothing is redeemed, and the same key redeems later", arguments: faults)
    func redeem(_ fault: StoreFault) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        try await bench.approve(begun)
        bench.store.fail(fault)
        #expect(await bench.refusal { try await bench.redeem(begun, id: bench.key("k")) }?.code == .unavailable)
        bench.store.mend()
        #expect(try await bench.status(begun) == "approved")
        let first = try await bench.redeem(begun, id: bench.key("k"))
        #expect(try await bench.redeem(begun, id: bench.key("k")) == first)
    }

    @Test("no code is accepted, and the same code is accepted later", arguments: faults)
    func code(_ fault: StoreFault) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        bench.store.fail(fault)
        #expect(await bench.refusal { try await bench.submit(to: begun) }?.code == .unavailable)
        bench.store.mend()
        #expect(try await bench.status(begun) == "pending")
        #expect(try await bench.submit(to: begun).status == "approved")
    }

    @Test("nothing is canceled", arguments: faults)
    func cancel(_ fault: StoreFault) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.store.fail(fault)
        #expect(await bench.refusal { try await bench.cancel(begun) }?.code == .unavailable)
        #expect(await bench.refusal { try await bench.revoke() }?.code == .unavailable)
        bench.store.mend()
        #expect(try await bench.status(begun) == "pending")
        #expect(try await bench.approve(begun).status == "approved")
    }

    @Test("a device's own challenge has no effect at registration before its answer is stored", arguments: faults)
    func device(_ fault: StoreFault) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", .registration)
        let answer = try await bench.answer("c1", number: begun.number)
        bench.store.fail(fault)
        #expect(await bench.refusal { try await bench.settle(answer) }?.code == .unavailable)
        #expect(bench.neighbours.confirmed.isEmpty)
        bench.store.mend()
        #expect(try await bench.settle(answer).status == "approved")
        #expect(bench.neighbours.confirmed.map(\.approved) == [true])
    }

    @Test("an expiry that cannot be stored is seen by the clock at once and stored later", arguments: faults)
    func expiry(_ fault: StoreFault) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.store.fail(fault)
        await bench.elapse(.seconds(60))
        #expect(try await bench.status(begun) == "expired")
        #expect(try await bench.line(begun.id)?.status == .pending)
        bench.store.mend()
        await bench.elapse(.seconds(30))
        let line = try #require(try await bench.line(begun.id))
        #expect(line.status == .expired && line.reason == .timeout)
        #expect(line.settledAt?.milliseconds == begun.reply.expiresAtMs)
    }
}
