import Domain
import Foundation
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("The budget and silence")
struct BudgetTests {
    private func ignore(_ bench: ChallengeBench, _ count: Int) async throws {
        for _ in 0..<count {
            _ = try await bench.begin()
            await bench.elapse(.seconds(60))
        }
    }

    private func isSilenced(_ bench: ChallengeBench) async throws -> Bool {
        let begun = try await bench.begin()
        let isSilenced = try #require(try await bench.record(begun.id)).isSilenced
        await bench.deliver()
        #expect(bench.neighbours.notified.contains { $0.challengeID == begun.id } == !isSilenced)
        return isSilenced
    }

    @Test("after five unanswered requests in ten minutes nothing rings for thirty, but requests are real and listed")
    func silence() async throws {
        let bench = try ChallengeBench()
        try await ignore(bench, 5)
        let silenced = try await bench.begin()
        #expect(try await bench.record(silenced.id)?.isDecoy == false)
        let pending = try #require(try await bench.pending().first)
        #expect(pending.id == silenced.id && pending.silenced)
        await bench.deliver()
        #expect(!bench.neighbours.notified.contains { $0.challengeID == silenced.id })
        let line = try #require(try await bench.line(silenced.id))
        #expect(line.isSilenced && !line.isDecoy)
        // The fifth was missed just now, so the silence ends thirty minutes from here.
        try await bench.cancel(silenced)
        bench.clock.advance(.seconds(30 * 60 - 1))
        #expect(try await isSilenced(bench))
        bench.clock.advance(.seconds(1))
        #expect(try await !isSilenced(bench))
    }

    @Test("a silenced request costs the store what any other costs")
    func cost() async throws {
        let bench = try ChallengeBench()
        _ = bench.tally.take()
        _ = try await bench.begin()
        let expected = bench.tally.take()
        await bench.elapse(.seconds(60))
        try await ignore(bench, 4)
        _ = bench.tally.take()
        _ = try await bench.begin()
        #expect(bench.tally.take() == expected)
    }

    @Test("four do not silence, and neither do five within more than ten minutes")
    func tooFew() async throws {
        let bench = try ChallengeBench()
        try await ignore(bench, 4)
        #expect(try await !bench.budget().isSilent(at: bench.now))
        await bench.elapse(.seconds(10 * 60))
        try await ignore(bench, 4)
        #expect(try await !isSilenced(bench))
    }

    @Test("declined, wrong numbers and canceled requests count like those that nobody answered")
    func kinds() async throws {
        let bench = try ChallengeBench()
        try await ignore(bench, 1)
        try await bench.refuse(bench.begin())
        try await bench.cancel(bench.begin())
        let wrong = try await bench.begin()
        _ = try await bench.settle(bench.answer(wrong.id, number: wrong.wrongNumber))
        #expect(try await !isSilenced(bench))
        await bench.elapse(.seconds(60))
        #expect(try await isSilenced(bench))
    }

    @Test("an approval by push resets the count and ends the silence")
    func approval() async throws {
        let bench = try ChallengeBench()
        try await ignore(bench, 4)
        try await bench.approve(bench.begin())
        #expect(try await bench.budget().misses.isEmpty)
        try await ignore(bench, 5)
        #expect(try await isSilenced(bench))
        let silenced = try await bench.begin()
        try await bench.approve(silenced)
        #expect(try await !isSilenced(bench))
    }

    @Test("a code neither resets the count nor ends the silence")
    func code() async throws {
        let bench = try ChallengeBench()
        try await ignore(bench, 4)
        try await bench.submit(to: bench.begin("alice", .secondFactor))
        #expect(try await bench.budget().misses.count == 4)
        try await ignore(bench, 1)
        try await bench.submit(to: bench.begin("alice", .secondFactor))
        #expect(try await isSilenced(bench))
    }

    @Test("decoys count for nobody", arguments: [Obstruction.noDevice, .pushMode, .unknownUser])
    func decoys(_ obstruction: Obstruction) async throws {
        let bench = try ChallengeBench()
        let username = try await obstruction.arrange(bench)
        for _ in 0..<6 {
            _ = try await bench.begin(username)
            await bench.elapse(.seconds(60))
        }
        #expect(try await bench.budget() == RequestBudget())
        #expect(try await bench.budget("") == RequestBudget())
    }

    @Test("all names that are nobody's share 4,096 rows, whatever their case, and leave no others")
    func nobody() async throws {
        let names = (0..<100_000).map { "nobody\($0)" }
        let rows = Set(names.map { ChallengeTransaction.nobody($0) })
        #expect(rows.count == 4_096)
        let bench = try ChallengeBench()
        for name in names.prefix(3) {
            #expect(ChallengeTransaction.nobody(name.uppercased()) == ChallengeTransaction.nobody(name))
            try await bench.cancel(bench.begin(name))
            let kept = try await bench.store.read {
                try $0.budget(tenant: ChallengeBench.demo, person: ChallengeTransaction.nobody(name))
            }
            #expect(kept == RequestBudget())
            let own = try await bench.store.read { try $0.budget(tenant: ChallengeBench.demo, person: PersonID(name)) }
            #expect(own == nil)
        }
    }

    @Test("a report silences at once and raises digits to three for a day; an approval ends the silence, not the risk")
    func report() async throws {
        let bench = try ChallengeBench()
        try await bench.refuse(bench.begin(), .report)
        let reportedAt = bench.now
        let silenced = try await bench.begin()
        #expect(silenced.number.count == 3)
        #expect(try await bench.pending().map(\.silenced) == [true])
        try await bench.approve(silenced)
        let ringing = try await bench.begin()
        #expect(try await bench.record(ringing.id)?.isSilenced == false)
        #expect(ringing.number.count == 3)
        let content = try #require(try await bench.record(ringing.id)).content
        #expect(String(decoding: content, as: UTF8.self).hasSuffix(#""numberDigits":3}"#))
        bench.clock.advance(reportedAt + .seconds(24 * 3600 - 1) - bench.now)
        #expect(try await bench.begin().number.count == 3)
        bench.clock.advance(.seconds(1))
        #expect(try await bench.begin().number.count == 2)
    }

    @Test("the silence after a report lasts thirty minutes")
    func reportEnds() async throws {
        let bench = try ChallengeBench()
        try await bench.refuse(bench.begin(), .report)
        bench.clock.advance(.seconds(30 * 60 - 1))
        #expect(try await isSilenced(bench))
        bench.clock.advance(.seconds(1))
        #expect(try await !isSilenced(bench))
    }

    @Test("raised risk also lengthens the numbers of a device's own challenges, and never shortens any")
    func raisedElsewhere() async throws {
        let bench = try ChallengeBench { $0.numberDigits = 4 }
        try await bench.refuse(bench.begin(), .report)
        #expect(try await bench.begin().number.count == 4)
        bench.tenants.change(ChallengeBench.demo) { _, settings in settings.numberDigits = 2 }
        #expect(try await bench.beginForDevice("c1", .phoneSignInSetup).number.count == 3)
    }

    @Test("the tenant's own budget, window and silence hold")
    func settings() async throws {
        let bench = try ChallengeBench {
            $0.requestBudget = 1
            $0.silenceMinutes = 1
        }
        try await ignore(bench, 1)
        #expect(try await bench.budget().silentUntil == bench.now + .seconds(60))
        bench.clock.advance(.seconds(60))
        #expect(try await !isSilenced(bench))
    }

    @Test("within how many minutes missed requests count is the tenant's choice", arguments: [(1, false), (2, true)])
    func window(minutes: Int, isSilent: Bool) async throws {
        let bench = try ChallengeBench { ($0.requestBudget, $0.requestBudgetWindowMinutes) = (2, minutes) }
        try await ignore(bench, 2)
        #expect(try await bench.budget().isSilent(at: bench.now) == isSilent)
    }

    @Test("an expiry that a late sweep finds counts at the moment of the expiry")
    func lateSweep() async throws {
        let bench = try ChallengeBench()
        for _ in 0..<5 {
            _ = try await bench.begin()
            bench.clock.advance(.seconds(60))
        }
        // The sweep comes twenty minutes late; the silence began with the fifth expiry.
        bench.clock.advance(.seconds(20 * 60))
        await bench.service.meetDeadlines()
        bench.clock.advance(.seconds(10 * 60 - 1))
        #expect(try await isSilenced(bench))
        bench.clock.advance(.seconds(1))
        #expect(try await !isSilenced(bench))
    }

    @Test("an expiry that nobody has swept yet counts at the next request")
    func unswept() async throws {
        let bench = try ChallengeBench { $0.requestBudget = 1 }
        _ = try await bench.begin()
        bench.clock.advance(.seconds(60))
        #expect(try await isSilenced(bench))
    }
}
