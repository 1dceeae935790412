import Domain
import Foundation
import Messaging
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("A sign-in that was not the person's")
struct ReportTests {
    private func report(_ bench: ChallengeBench, _ id: String, by person: String = "p1") async throws {
        _ = try await bench.call(
            ReportSignIn.with { ($0.tenant, $0.personID, $0.challengeID) = ("demo", person, id) })
    }

    /// What both the check and the report are refused with; the check alone does nothing.
    private func refusal(_ bench: ChallengeBench, _ id: String, by person: String = "p1") async -> [ErrorCode?] {
        let check = CheckSignIn.with { ($0.tenant, $0.personID, $0.challengeID) = ("demo", person, id) }
        return [
            await bench.refusal { _ = try await bench.call(check) }?.code,
            await bench.refusal { try await report(bench, id, by: person) }?.code,
        ]
    }

    private func isSilenced(_ bench: ChallengeBench) async throws -> Bool {
        try #require(try await bench.record(bench.begin().id)).isSilenced
    }

    @Test("is in the log as reported; the phones fall silent and numbers get longer, once for each report")
    func reported() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        try await bench.approve(begun)
        _ = try await bench.redeem(begun)
        bench.clock.advance(.seconds(3600))
        try await report(bench, begun.id)
        let line = try #require(try await bench.line(begun.id))
        #expect(line.status == .redeemed && line.reason == .reported)
        let next = try await bench.begin()
        #expect(next.number.count == 3)
        #expect(try #require(try await bench.record(next.id)).isSilenced)
        try await bench.cancel(next)
        // Said again later it does not begin anew.
        bench.clock.advance(.seconds(30 * 60))
        try await report(bench, begun.id)
        #expect(try await !isSilenced(bench))
    }

    @Test("an open request ends, and an approved one cannot be redeemed any more", arguments: [false, true])
    func ends(_ isApproved: Bool) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        if isApproved { try await bench.approve(begun) }
        try await report(bench, begun.id)
        let line = try #require(try await bench.line(begun.id))
        #expect(line.status == (isApproved ? .expired : .canceled) && line.reason == .reported)
        #expect(await bench.refusal { try await bench.redeem(begun) } != nil)
    }

    @Test("a phone that was added or set up is in the log as reported, and no phone falls silent for it")
    func phone() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", .registration, expiresIn: .seconds(600))
        #expect(await refusal(bench, "c1") == [.notFound, .notFound])
        _ = try await bench.settle(
            bench.answer("c1", number: begun.number) {
                ($0.deviceState, $0.phoneSignIn) = ("awaitingConfirmation", false)
            })
        #expect(await refusal(bench, "c1", by: "p2") == [.notFound, .notFound])
        #expect(await refusal(bench, "c1") == [nil, nil])
        let line = try #require(try await bench.line("c1"))
        #expect(line.status == .approved && line.reason == .reported)
        #expect(try await !isSilenced(bench))
    }

    @Test("another person's, another tenant's, an unknown one and a phone's own change are not found")
    func notFound() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        #expect(await refusal(bench, begun.id, by: "p2") == [.notFound, .notFound])
        #expect(await refusal(bench, "none") == [.notFound, .notFound])
        let check = CheckSignIn.with { ($0.tenant, $0.personID, $0.challengeID) = ("demo", "p1", begun.id) }
        _ = try await bench.call(check)
        let line = try #require(try await bench.line(begun.id))
        #expect(line.status == .pending && line.reason == nil)
        #expect(try await !isSilenced(bench))
    }
}
