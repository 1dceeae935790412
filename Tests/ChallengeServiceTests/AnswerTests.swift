import Domain
import Foundation
import Secrets
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("Answers")
struct AnswerTests {
    @Test("the right number approves, and the application sees it")
    func approves() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let reply = try await bench.approve(begun)
        #expect(reply.status == "approved")
        #expect(reply.reason.isEmpty)
        #expect(reply.purpose == "signIn")
        let outcome = try await bench.outcome(begun)
        #expect(outcome.status == "approved" && outcome.method == "push" && outcome.reason.isEmpty)
        #expect(try await bench.pending().isEmpty)
    }

    @Test("decline and report deny, each under its own reason", arguments: [Decision.decline, .report])
    func denies(_ decision: Decision) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let reason = decision == .decline ? "declined" : "reported"
        let reply = try await bench.refuse(begun, decision)
        #expect(reply.status == "denied" && reply.reason == reason)
        let outcome = try await bench.outcome(begun)
        #expect(outcome.status == "denied" && outcome.reason == reason && outcome.method.isEmpty)
        #expect(await bench.refusal { try await bench.redeem(begun) }?.code == .notApproved)
    }

    @Test("with one try a wrong number ends the request")
    func wrongNumber() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let reply = try await bench.settle(bench.answer(begun.id, number: begun.wrongNumber))
        #expect(reply.status == "denied" && reply.reason == "wrong_number")
        #expect(await bench.refusal { try await bench.approve(begun) }?.code == .settled)
        #expect(try await bench.outcome(begun).reason == "wrong_number")
    }

    @Test("with three tries the third wrong number ends the request, and a retry uses up none")
    func threeTries() async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 3 }
        let begun = try await bench.begin()
        func tries(_ text: String) async throws -> SettleReply {
            try await bench.settle(bench.answer(begun.id, number: begun.wrongNumber) { $0.answer = text })
        }
        for text in ["one", "one", "two", "one", "two"] {
            let reply = try await tries(text)
            #expect(reply.status == "pending" && reply.reason == "wrong_number")
            #expect(try await bench.status(begun) == "pending")
        }
        #expect(try await tries("three").status == "denied")
        // The first replies stay what they were.
        #expect(try await tries("one").status == "pending")
        #expect(try await tries("three").status == "denied")
    }

    @Test("with tries left the right number still approves")
    func secondTry() async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 2 }
        let begun = try await bench.begin()
        _ = try await bench.settle(bench.answer(begun.id, number: begun.wrongNumber))
        #expect(try await bench.approve(begun).status == "approved")
    }

    @Test("an empty number, or the right one with something around it, is wrong")
    func similar() async throws {
        for change in [{ _ in "" }, { $0 + "0" }, { "0" + $0 }, { " " + $0 }] as [@Sendable (String) -> String] {
            let bench = try ChallengeBench()
            let begun = try await bench.begin()
            let reply = try await bench.settle(bench.answer(begun.id, number: change(begun.number)))
            #expect(reply.reason == "wrong_number")
        }
    }

    @Test("the byte-identical retry gets the first reply, whatever happened since")
    func retry() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let first = try await bench.approve(begun)
        #expect(!first.repeatedAnswer && first.answeredAtMs == bench.now.milliseconds)
        var expected = first
        expected.repeatedAnswer = true
        await bench.elapse(.seconds(1))
        #expect(try await bench.approve(begun) == expected)
        _ = try await bench.redeem(begun)
        #expect(try await bench.approve(begun) == expected)
        await bench.elapse(.seconds(3600))
        #expect(try await bench.approve(begun) == expected)
    }

    @Test("what an answer came to is found by its bytes, and an answer that came to nothing is not")
    func readAnswer() async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 2 }
        let begun = try await bench.begin()
        func read(_ answer: Settle, tenant: String = "demo") async throws -> SettleReply {
            let digest = Data(sha256(Array(answer.answer.utf8)))
            return try await bench.call(
                ReadAnswer.with {
                    $0.tenant = tenant
                    $0.challengeID = begun.id
                    $0.answerDigest = digest
                }, from: .verifier)
        }
        let wrong = try await bench.answer(begun.id, number: begun.wrongNumber)
        let right = try await bench.answer(begun.id, number: begun.number)
        #expect(await bench.refusal { try await read(wrong) }?.code == .notFound)
        _ = try await bench.settle(wrong)
        bench.clock.advance(.seconds(2))
        _ = try await bench.settle(right)
        let answeredAt = bench.now.milliseconds
        await bench.elapse(.seconds(3600))
        let open = try await read(wrong)
        #expect(open.status == "pending" && open.reason == "wrong_number")
        let reply = try await read(right)
        #expect(reply.status == "approved" && reply.reason.isEmpty && reply.purpose == "signIn")
        #expect(reply.repeatedAnswer && reply.answeredAtMs == answeredAt)
        #expect(await bench.refusal { try await read(right, tenant: "other") }?.code == .notFound)
    }

    @Test("a second, different answer is settled", arguments: [Decision.approve, .decline, .report])
    func second(_ decision: Decision) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        try await bench.refuse(begun)
        let error = await bench.refusal {
            try await bench.settle(bench.answer(begun.id, decision, number: begun.number) { $0.answer = "another" })
        }
        #expect(error?.code == .settled)
        #expect(try await bench.outcome(begun).reason == "declined")
    }

    @Test("after the expiry an answer gets expired, before the sweep and after it", arguments: [false, true])
    func expired(_ isSwept: Bool) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.clock.advance(.seconds(60))
        if isSwept { await bench.service.meetDeadlines() }
        #expect(await bench.refusal { try await bench.approve(begun) }?.code == .expired)
        #expect(try await bench.record(begun.id)?.machine.state.status == .expired)
        #expect(try await bench.line(begun.id)?.reason == .timeout)
    }

    @Test("an answer in the last millisecond counts")
    func lastMoment() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.clock.advance(.milliseconds(59_999))
        #expect(try await bench.approve(begun).status == "approved")
    }

    @Test("an answer to a canceled request is settled")
    func canceled() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        try await bench.cancel(begun)
        #expect(await bench.refusal { try await bench.approve(begun) }?.code == .settled)
        #expect(await bench.refusal { try await bench.refuse(begun) }?.code == .settled)
    }

    @Test("an unknown decision is malformed")
    func unknownDecision() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        #expect(await bench.refusal { try await bench.approve(begun) { $0.decision = "maybe" } }?.code == .malformed)
    }
}
