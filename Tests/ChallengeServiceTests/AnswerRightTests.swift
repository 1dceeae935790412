import Domain
import Foundation
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Who may answer, and when it is held")
struct AnswerRightTests {
    private static let strangers: [(String, @Sendable (inout Settle) -> Void)] = [
        ("another person's device", { $0.personID = "p2" }),
        ("a blocked person", { $0.personBlocked = true }),
        ("other content", { $0.contentDigest = Data(repeating: 1, count: 32) }),
        ("no content", { $0.contentDigest = Data() }),
        ("a device without phone sign-in", { $0.phoneSignIn = false }),
        ("a device that awaits confirmation", { $0.deviceState = "awaitingConfirmation" }),
        ("a removed device", { $0.deviceState = "removed" }),
        ("a device that the request was not meant for", { $0.deviceID = "d9" }),
        ("an unknown challenge", { $0.challengeID = "unknown" }),
    ]

    @Test("one neutral refusal for whoever may not answer, whatever the state, and no try is used up")
    func refused() async throws {
        for (name, change) in Self.strangers {
            let bench = try ChallengeBench()
            let begun = try await bench.begin()
            var errors: Set<ServiceError> = []
            func asStranger() async {
                for decision in Decision.allCases {
                    let error = await bench.refusal {
                        try await bench.settle(
                            bench.answer(begun.id, decision, number: begun.wrongNumber) {
                                $0.answer = "stranger"
                                change(&$0)
                            })
                    }
                    if let error { errors.insert(error) } else { Issue.record("\(name) was let in") }
                }
            }
            await asStranger()
            #expect(try await bench.status(begun) == "pending", "\(name)")
            try await bench.approve(begun)
            await asStranger()
            await bench.elapse(.seconds(60))
            await asStranger()
            #expect(errors == [ServiceError(.refused, "the answer is not accepted")], "\(name)")
        }
    }

    @Test("a stranger's copy of the very answer is refused too")
    func copied() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        try await bench.approve(begun)
        #expect(await bench.refusal { try await bench.approve(begun) { $0.personID = "p2" } }?.code == .refused)
    }

    @Test("a second factor needs an active device, not phone sign-in")
    func secondFactor() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        #expect(
            await bench.refusal { try await bench.approve(begun) { $0.deviceState = "removed" } }?.code == .refused)
        let reply = try await bench.approve(begun) { $0.phoneSignIn = false }
        #expect(reply.status == "approved" && reply.purpose == "secondFactor")
    }

    @Test("an old phone is told the minimum and never approves; the request stays open, decline still works")
    func updateRequired() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let error = await bench.refusal { try await bench.approve(begun) { $0.facts.osVersion = "7.9" } }
        #expect(error?.code == .updateRequired)
        #expect(error?.members == ["minimum": "8.0"])
        #expect(try await bench.status(begun) == "pending")
        #expect(try await bench.line(begun.id)?.reason == .updateRequired)
        let reply = try await bench.refuse(begun) { $0.facts.osVersion = "7.9" }
        #expect(reply.reason == "declined")
    }

    @Test("an old phone's wrong number uses up no try")
    func updateRequiredFirst() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let error = await bench.refusal {
            try await bench.settle(
                bench.answer(begun.id, number: begun.wrongNumber) { $0.facts.osVersion = "7.9" })
        }
        #expect(error?.code == .updateRequired)
        #expect(try await bench.approve(begun).status == "approved")
    }

    @Test("under the NIST profile an approval without user verification is held")
    func userVerification() async throws {
        let bench = try ChallengeBench { $0.profile = .nist80063b4 }
        let begun = try await bench.begin()
        #expect(await bench.refusal { try await bench.approve(begun) { $0.userVerified = false } }?.code == .refused)
        #expect(try await bench.line(begun.id)?.reason == .userVerificationMissing)
        #expect(try await bench.approve(begun).status == "approved")
    }

    @Test("the policy of the moment of the answer decides")
    func policyChanged() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.tenants.change(ChallengeBench.demo) { policy, _ in policy.state = .disabled }
        #expect(await bench.refusal { try await bench.approve(begun) }?.code == .refused)
        #expect(try await bench.line(begun.id)?.reason == .policyChanged)
        #expect(try await bench.refuse(begun).reason == "declined")
    }

    @Test("the receipt is the signed answer with the content and the key that verify it")
    func receipt() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let content = try #require(try await bench.pending().first?.content)
        let answer = try await bench.answer(begun.id, number: begun.number)
        _ = try await bench.settle(answer)
        let redeemed = try await bench.redeem(begun)
        #expect(redeemed.receipt == answer.answer)
        #expect(redeemed.receiptContent == content)
        #expect(redeemed.receiptKey == answer.deviceKey)
    }
}
