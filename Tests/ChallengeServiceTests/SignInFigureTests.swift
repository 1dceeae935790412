import Domain
import Foundation
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Figures of the sign-in log, from the log")
struct SignInFigureTests {
    private func summary(_ bench: ChallengeBench, from: Timestamp, _ length: Duration, step: UInt32 = 60) async throws
        -> SummarizeSignInsReply
    {
        try await bench.call(
            SummarizeSignIns.with {
                $0.tenant = "demo"
                $0.fromMs = from.milliseconds
                $0.toMs = (from + length).milliseconds
                $0.stepSeconds = step
            })
    }

    @Test("requests count in the step in which they began, answers by the time that they took")
    func steps() async throws {
        let bench = try ChallengeBench()
        let start = bench.now
        let first = try await bench.begin()
        bench.clock.advance(.milliseconds(4250))
        try await bench.approve(first)
        _ = try await bench.redeem(first)
        let second = try await bench.begin()
        bench.clock.advance(.seconds(2))
        try await bench.refuse(second)
        bench.clock.advance(.seconds(60))
        _ = try await bench.begin("nobody")
        try await bench.cancel(try await bench.begin("nobody"))
        let reply = try await summary(bench, from: start, .seconds(120))
        #expect(reply.complete && reply.countedFromMs == start.milliseconds)
        #expect(reply.steps.map(\.index) == [0, 1])
        #expect(reply.steps[0].approved == 1 && reply.steps[0].denied == 1 && reply.steps[0].unreached == 0)
        #expect(reply.steps[0].answers.count == 2)
        #expect(reply.steps[0].answers.medianMs == 2000 && reply.steps[0].answers.p99Ms == 4200)
        #expect(reply.steps[1].unreached == 2 && reply.steps[1].unreachedCanceled == 1)
        #expect(reply.steps[1].canceled == 0 && !reply.steps[1].hasAnswers)
        #expect(reply.answers.count == 2)
    }

    @Test("an answer that was not redeemed in time was still given; a request that nobody answered has no time")
    func lapsed() async throws {
        let bench = try ChallengeBench()
        let start = bench.now
        try await bench.approve(try await bench.begin())
        await bench.elapse(.seconds(60))
        _ = try await bench.begin()
        await bench.elapse(.seconds(60))
        let reply = try await summary(bench, from: start, .seconds(600), step: 600)
        #expect(reply.steps.map(\.expired) == [2])
        #expect(reply.answers.count == 1)
    }

    @Test("the range ends before its last moment, and a range that is none is refused")
    func edges() async throws {
        let bench = try ChallengeBench()
        let start = bench.now
        _ = try await bench.begin()
        #expect(try await summary(bench, from: start + .milliseconds(1), .seconds(60)).steps.isEmpty)
        let before = start + .seconds(-60)
        #expect(try await summary(bench, from: before, .seconds(60)).steps.isEmpty)
        #expect(try await summary(bench, from: start, .milliseconds(1)).steps.count == 1)
        #expect(
            await bench.refusal { try await summary(bench, from: start, .seconds(60), step: 1) }?.code == .invalidValue)
        #expect(await bench.refusal { try await summary(bench, from: start, .zero) }?.code == .invalidValue)
    }

    @Test("the log is filtered by its exact reason")
    func reasons() async throws {
        let bench = try ChallengeBench()
        try await bench.refuse(try await bench.begin())
        _ = try await bench.begin("nobody")
        func log(_ reason: String) async throws -> [SignInEntry] {
            try await bench.call(ListSignIns.with { ($0.tenant, $0.reason) = ("demo", reason) }).entries
        }
        #expect(try await log("declined").map(\.username) == ["alice"])
        #expect(try await log("unknown_user").map(\.username) == ["nobody"])
        #expect(await bench.refusal { try await log("bad_luck") }?.code == .invalidValue)
    }
}
