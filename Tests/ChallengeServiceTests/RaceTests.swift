import Domain
import Foundation
import Messaging
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("Races")
struct RaceTests {
    private let rounds = 1_000

    /// Asks two instances over one store at the same moment, and returns the replies of those that were not refused.
    private func race<Request: ServiceRequest>(
        _ bench: ChallengeBench, _ services: [ChallengeService], from caller: ServiceName, _ requests: [Request],
        loses code: ErrorCode
    ) async throws -> [Request.Reply] {
        try await withThrowingTaskGroup(of: Request.Reply?.self) { group in
            for (service, request) in zip(services, requests) {
                let handle = try #require(service.routes.handlers[Request.method.id]).handle
                let body: [UInt8] = try request.serializedBytes()
                let context = HandlerContext(caller: caller, call: bench.context())
                group.addTask {
                    do {
                        return try Request.Reply(serializedBytes: try await handle(body, context))
                    } catch let error as ServiceError {
                        #expect(error.code == code)
                        return nil
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
        }
    }

    @Test("of two answers that race from two instances exactly one wins, every time")
    func answers() async throws {
        let bench = try ChallengeBench()
        let services = [bench.service, bench.another(answers: false)]
        var approvals = 0
        for round in 0..<rounds {
            let begun = try await bench.begin()
            let approve = try await bench.answer(begun.id, number: begun.number)
            let decline = try await bench.answer(begun.id, .decline)
            let requests = round.isMultiple(of: 2) ? [approve, decline] : [decline, approve]
            let winners = try await race(bench, services, from: .verifier, requests, loses: .settled)
            try #require(winners.count == 1)
            let status = try #require(winners.first?.status)
            approvals += status == "approved" ? 1 : 0
            #expect(try await bench.status(begun) == status)
            #expect(try await bench.line(begun.id)?.status.rawValue == status)
            // Past the window, so that what is live stays little.
            bench.clock.advance(.seconds(60))
        }
        #expect((1..<rounds).contains(approvals))
    }

    @Test("of two redemptions that race at two instances exactly one wins, every time")
    func redemptions() async throws {
        let bench = try ChallengeBench()
        let services = [bench.service, bench.another(answers: false)]
        for _ in 0..<rounds {
            let begun = try await bench.begin()
            try await bench.approve(begun)
            let request = Redeem.with {
                $0.tenant = begun.tenant
                $0.id = begun.id
                $0.secretDigest = begun.secretDigest
                $0.owner = begun.owner
            }
            let winners = try await race(
                bench, services, from: .gateway, [request, request], loses: .alreadyRedeemed)
            try #require(winners.count == 1)
            #expect(winners.first?.personID == "p1")
            #expect(try await bench.status(begun) == "redeemed")
        }
    }

    @Test("an answer and the expiry that race settle once: the log and the reply agree")
    func expiry() async throws {
        let bench = try ChallengeBench()
        for _ in 0..<100 {
            let begun = try await bench.begin()
            let answer = try await bench.answer(begun.id, number: begun.number)
            bench.clock.advance(.milliseconds(59_999))
            async let reply = bench.refusal { try await bench.settle(answer) }
            bench.clock.advance(.milliseconds(1))
            await bench.service.meetDeadlines()
            let refusal = await reply
            await bench.service.meetDeadlines()
            let line = try #require(try await bench.line(begun.id))
            if let refusal {
                #expect(refusal.code == .expired)
                #expect(line.status == .expired && line.reason == .timeout)
            } else {
                #expect(line.status == .approved)
            }
            bench.clock.advance(.seconds(60))
        }
    }

    @Test("begins that race never open more than the limit")
    func opening() async throws {
        let bench = try ChallengeBench()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try await bench.begin() } }
            try await group.waitForAll()
        }
        #expect(try await bench.pending().count == 3)
    }

    @Test("wrong numbers that race use up their tries and no more")
    func tries() async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 3 }
        let begun = try await bench.begin()
        let replies = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<20 {
                let answer = try await bench.answer(begun.id, number: begun.wrongNumber) { $0.answer = "\(number)" }
                group.addTask { try? await bench.settle(answer).status }
            }
            return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
        }
        #expect(replies.count { $0 == "pending" } == 2)
        #expect(replies.count { $0 == "denied" } == 1)
        #expect(replies.count == 3)
    }
}
