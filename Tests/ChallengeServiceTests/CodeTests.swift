import Domain
import Foundation
import Messaging
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Codes")
struct CodeTests {
    @Test("a code alone settles a second factor")
    func secondFactor() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        let reply = try await bench.submit(to: begun)
        #expect(reply.status == "approved" && reply.method == "code" && reply.reason.isEmpty)
        let redeemed = try await bench.redeem(begun)
        #expect(redeemed.method == "code" && redeemed.amr == ["otp"])
        #expect(redeemed.receipt.isEmpty && redeemed.receiptContent.isEmpty && redeemed.receiptKey.isEmpty)
        let line = try #require(try await bench.line(begun.id))
        #expect(line.method == .code && line.device == DeviceID("d1") && line.reason == nil)
    }

    @Test("a passwordless request also needs the password: alone a code is not looked at")
    func passwordless() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        for _ in 0..<5 { #expect(await bench.refusal { try await bench.submit(to: begun) }?.code == .invalidCode) }
        #expect(bench.neighbours.verified.isEmpty)
        #expect(try await bench.line(begun.id)?.reason == .passwordMissing)
        try await bench.submit(password: Neighbours.password, to: begun)
        let redeemed = try await bench.redeem(begun)
        #expect(redeemed.amr == ["pwd", "otp"])
        #expect(redeemed.acr != "urn:countersign:acr:code")
    }

    @Test("where the policy says offlineCodeAlone, a code alone settles a passwordless request")
    func alone() async throws {
        let bench = try ChallengeBench { $0.offlineCodeAlone = true }
        let begun = try await bench.begin()
        try await bench.submit(to: begun)
        #expect(try await bench.redeem(begun).amr == ["otp"])
    }

    @Test("a given password is checked, also where none is needed")
    func givenPassword() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        #expect(await bench.refusal { try await bench.submit(password: "wrong", to: begun) }?.code == .invalidCode)
        #expect(try await bench.status(begun) == "pending")
        #expect(bench.neighbours.verified.last?.passwordRequired == true)
    }

    @Test("a wrong code leaves the request open and is in the log")
    func wrong() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        #expect(await bench.refusal { try await bench.submit("000000", to: begun) }?.code == .invalidCode)
        #expect(try await bench.line(begun.id)?.reason == .invalidCode)
        #expect(try await bench.line(begun.id)?.status == .pending)
        #expect(try await bench.approve(begun).status == "approved")
        #expect(try await bench.line(begun.id)?.reason == nil)
    }

    @Test("the verifier's counting is passed on with its time")
    func tooMany() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        bench.bus.inject(VerifyCode.self) {
            throw ServiceError(.tooManyAttempts, "too many", retryAfter: .seconds(120))
        }
        let error = await bench.refusal { try await bench.submit(to: begun) }
        #expect(error?.code == .tooManyAttempts && error?.retryAfter == .seconds(120))
        #expect(try await bench.line(begun.id)?.reason == .tooManyAttempts)
    }

    @Test("the same code on the request that it settled repeats the reply, also after redemption and expiry")
    func repeated() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        let first = try await bench.submit(to: begun)
        #expect(try await bench.submit(to: begun) == first)
        #expect(await bench.refusal { try await bench.submit("654321", to: begun) }?.code == .settled)
        _ = try await bench.redeem(begun)
        #expect(try await bench.submit(to: begun) == first)
        await bench.elapse(.seconds(3600))
        #expect(try await bench.submit(to: begun) == first)
        #expect(bench.neighbours.verified.count == 1)
    }

    @Test("a code for a settled request is settled, for an expired one expired, and none is looked at")
    func late() async throws {
        let bench = try ChallengeBench()
        let denied = try await bench.begin("alice", .secondFactor)
        let expired = try await bench.begin("alice", .secondFactor)
        try await bench.refuse(denied)
        #expect(await bench.refusal { try await bench.submit(to: denied) }?.code == .settled)
        bench.clock.advance(.seconds(60))
        #expect(await bench.refusal { try await bench.submit(to: expired) }?.code == .expired)
        #expect(bench.neighbours.verified.isEmpty)
    }

    @Test(
        "a code settles a decoy of a person who may use codes",
        arguments: [Obstruction.pushMode, .withoutPhoneSignIn, .fourthOpen])
    func decoy(_ obstruction: Obstruction) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin(try await obstruction.arrange(bench))
        #expect(try await bench.record(begun.id)?.isDecoy == true)
        try await bench.submit(password: Neighbours.password, to: begun)
        let redeemed = try await bench.redeem(begun)
        #expect(redeemed.personID == "p1" && redeemed.method == "code")
    }

    @Test(
        "for nobody else does a code count, and the verifier is asked all the same",
        arguments: [Obstruction.unknownUser, .blocked, .noDevice, .outsidePolicy, .excluded, .disabled])
    func withoutRight(_ obstruction: Obstruction) async throws {
        let bench = try ChallengeBench()
        let username = try await obstruction.arrange(bench)
        let begun = try await bench.begin(username)
        let error = await bench.refusal { try await bench.submit(password: Neighbours.password, to: begun) }
        #expect(error == ServiceError(.invalidCode, "the code or the password is wrong"))
        let asked = try #require(bench.neighbours.verified.last)
        #expect(asked.personID.isEmpty && asked.username == username && asked.code == Neighbours.code)
    }

    @Test("where codes are switched off, none counts")
    func switchedOff() async throws {
        let bench = try ChallengeBench()
        bench.tenants.change(ChallengeBench.demo) { policy, _ in policy.isSoftwareOathEnabled = false }
        let begun = try await bench.begin("alice", .secondFactor)
        #expect(await bench.refusal { try await bench.submit(to: begun) }?.code == .invalidCode)
    }

    @Test("after a right password at a session's start a code settles in every mode, if codes are on")
    func everyMode() async throws {
        let bench = try ChallengeBench()
        let username = try await Obstruction.outsidePolicy.arrange(bench)
        let begun = try await bench.begin(username, .secondFactor) { $0.anyModeCode = true }
        #expect(try await bench.submit(to: begun).status == "approved")
        bench.tenants.change(ChallengeBench.demo) { policy, _ in policy.isSoftwareOathEnabled = false }
        let off = try await bench.begin(username, .secondFactor) { $0.anyModeCode = true }
        #expect(await bench.refusal { try await bench.submit(to: off) }?.code == .invalidCode)
    }

    @Test("so does a code that comes with the password, where the number was asked for first; alone it does not")
    func everyModeWithPassword() async throws {
        let bench = try ChallengeBench()
        bench.tenants.change(ChallengeBench.demo) { _, settings in settings.offlineCodeAlone = true }
        let username = try await Obstruction.outsidePolicy.arrange(bench)
        let begun = try await bench.begin(username) { $0.anyModeCode = true }
        #expect(await bench.refusal { try await bench.submit(to: begun) }?.code == .invalidCode)
        #expect(try await bench.submit(password: Neighbours.password, to: begun).status == "approved")
    }

    @Test("while no verifier answers, the request stays open and the code can be sent again")
    func withoutVerifier() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        bench.bus.remove(.verifier)
        #expect(await bench.refusal { try await bench.submit(to: begun) }?.code == .unavailable)
        #expect(try await bench.line(begun.id)?.reason == nil)
        bench.bus.add(bench.neighbours.verifier)
        #expect(try await bench.submit(to: begun).status == "approved")
    }

    @Test("an answer that comes while the code is verified wins, and the code is settled")
    func overtaken() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("alice", .secondFactor)
        let answer = try await bench.answer(begun.id, .decline)
        var slow = Routes(service: .verifier)
        slow.on(VerifyCode.self) { _, _ in
            _ = try await bench.settle(answer)
            return VerifyCodeReply.with { ($0.deviceID, $0.deviceName) = ("d1", "Phone") }
        }
        bench.bus.add(slow)
        #expect(await bench.refusal { try await bench.submit(to: begun) }?.code == .settled)
        #expect(try await bench.outcome(begun).reason == "declined")
        #expect(try await bench.line(begun.id)?.method == nil)
    }
}
