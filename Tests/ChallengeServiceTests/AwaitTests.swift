import Domain
import Foundation
import ServiceKit
import ServiceLifecycle
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("Waiting for the outcome")
struct AwaitTests {
    /// Waits for 25 s by the hand clock and returns once the wait is parked.
    private func park(_ bench: ChallengeBench, _ begun: Begun) async -> Task<OutcomeReply, any Error> {
        let end = bench.now + .seconds(25)
        let task = Task { try await bench.outcome(begun, waitMs: 25_000) }
        while bench.service.deadlines.next != end { await Task.yield() }
        return task
    }

    @Test("a settled request and a wait of nothing answer at once")
    func atOnce() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        #expect(try await bench.outcome(begun).status == "pending")
        try await bench.approve(begun)
        #expect(try await bench.outcome(begun, waitMs: 25_000).status == "approved")
        #expect(bench.service.outcomes.watchers == 0)
    }

    @Test("a parked wait ends when the request is settled", arguments: [Decision.approve, .decline, .report])
    func settled(_ decision: Decision) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let wait = await park(bench, begun)
        _ = try await bench.settle(bench.answer(begun.id, decision, number: begun.number))
        #expect(try await wait.value.status == (decision == .approve ? "approved" : "denied"))
        #expect(bench.service.outcomes.watchers == 0)
    }

    @Test(
        "a parked wait ends when the request is canceled, by the application or with the person",
        arguments: [false, true])
    func canceled(_ byRegistration: Bool) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let wait = await park(bench, begun)
        if byRegistration { try await bench.revoke() } else { try await bench.cancel(begun) }
        #expect(try await wait.value.status == "canceled")
    }

    @Test("the other processes are told of what ends a wait, and of nothing else")
    func announced() async throws {
        let bench = try ChallengeBench()
        func told() -> Int { bench.tally.take()["announce"] ?? 0 }
        let begun = try await bench.begin()
        let atBegin = told()
        try await bench.approve(begun)
        let atApproval = told()
        _ = try await bench.redeem(begun)
        let atRedemption = told()
        #expect(atBegin == 0 && atApproval == 1 && atRedemption == 0)
    }

    @Test("a parked wait ends when a code is accepted")
    func code() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        let wait = await park(bench, begun)
        try await bench.submit(to: begun)
        let outcome = try await wait.value
        #expect(outcome.status == "approved" && outcome.method == "code")
    }

    @Test("a parked wait ends when the request expires")
    func expires() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.clock.advance(.seconds(40))
        let task = Task { try await bench.outcome(begun, waitMs: 25_000) }
        while bench.service.outcomes.watchers == 0 { await Task.yield() }
        await bench.elapse(.seconds(20))
        #expect(try await task.value.status == "expired")
        #expect(bench.service.outcomes.watchers == 0)
    }

    @Test("a wait in which nothing happens ends at its time with what is")
    func timesOut() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let wait = await park(bench, begun)
        await bench.elapse(.seconds(25))
        #expect(try await wait.value.status == "pending")
        #expect(bench.service.outcomes.watchers == 0)
    }

    @Test("no wait is longer than the longest allowed")
    func longest() async throws {
        var configuration = ChallengeConfiguration()
        configuration.waitMax = .seconds(25)
        let bench = try ChallengeBench(configuration: configuration)
        let begun = try await bench.begin()
        let end = bench.now + .seconds(25)
        let task = Task { try await bench.outcome(begun, waitMs: .max) }
        while bench.service.deadlines.next != end { await Task.yield() }
        await bench.elapse(.seconds(25))
        #expect(try await task.value.status == "pending")
    }

    @Test("a cancelled task leaves no waiter")
    func cancelledTask() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let wait = await park(bench, begun)
        #expect(bench.service.outcomes.watchers == 1)
        wait.cancel()
        _ = await wait.result
        #expect(bench.service.outcomes.watchers == 0)
        try await bench.approve(begun)
    }

    @Test("a wrong number that leaves tries does not end the wait")
    func tryLeft() async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 2 }
        let begun = try await bench.begin()
        let wait = await park(bench, begun)
        _ = try await bench.settle(bench.answer(begun.id, number: begun.wrongNumber))
        #expect(try await bench.status(begun) == "pending")
        try await bench.approve(begun)
        #expect(try await wait.value.status == "approved")
    }

    @Test("all who wait for one request are told, and nobody who waits for another")
    func several() async throws {
        let bench = try ChallengeBench()
        let (first, second) = (try await bench.begin(), try await bench.begin())
        let other = await park(bench, second)
        let tasks = (0..<5).map { _ in Task { try await bench.outcome(first, waitMs: 25_000) } }
        while bench.service.outcomes.watchers < 6 { await Task.yield() }
        try await bench.approve(first)
        for task in tasks { #expect(try await task.value.status == "approved") }
        #expect(bench.service.outcomes.watchers == 1)
        await bench.elapse(.seconds(25))
        #expect(try await other.value.status == "pending")
    }

    @Test("more waits than allowed are refused as overload")
    func tooMany() async throws {
        var configuration = ChallengeConfiguration()
        configuration.waitersMax = 1
        let bench = try ChallengeBench(configuration: configuration)
        let begun = try await bench.begin()
        let wait = await park(bench, begun)
        let error = await bench.refusal { try await bench.outcome(begun, waitMs: 25_000) }
        #expect(error?.code == .overloaded)
        #expect(error?.retryAfter == .seconds(1))
        #expect(try await bench.outcome(begun).status == "pending")
        try await bench.approve(begun)
        #expect(try await wait.value.status == "approved")
    }

    @Test("a wait for what one may not see is not parked")
    func strangers() async throws {
        let bench = try ChallengeBench()
        var begun = try await bench.begin()
        begun.secretDigest = Data(repeating: 0, count: 32)
        let stranger = begun
        #expect(await bench.refusal { try await bench.outcome(stranger, waitMs: 25_000) }?.code == .notFound)
        #expect(bench.service.outcomes.watchers == 0)
    }

    @Test("when the process stops, who waits is answered with what is, and so is who comes later")
    func drain() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let group = ServiceGroup(services: [bench.service], logger: bench.service.logger)
        let running = Task { try await group.run() }
        let wait = await park(bench, begun)
        await group.triggerGracefulShutdown()
        #expect(try await wait.value.status == "pending")
        try await running.value
        #expect(try await bench.outcome(begun, waitMs: 25_000).status == "pending")
        #expect(bench.service.outcomes.watchers == 0)
    }
}
