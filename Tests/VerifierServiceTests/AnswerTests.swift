import Domain
import Proofs
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@Suite("Signed answers")
struct AnswerTests {
    private func refusal(_ bench: VerifierBench, _ answer: String, challenge: String = "c1") async -> ServiceError? {
        await bench.failure { () async throws(ServiceError) in
            try await bench.verify(answer: answer, challenge: challenge)
        }
    }

    @Test("a genuine answer goes to challenge with what was signed")
    func genuine() async throws {
        let bench = try VerifierBench()
        let answer = try await bench.answer()
        let reply = try await bench.verify(answer: answer)
        #expect(reply.status == "approved")
        let settle = try #require(bench.world.withLock(\.settled).first)
        #expect(settle.number == "42")
        #expect(settle.decision == "approve")
        #expect(Array(settle.contentDigest) == contentDigest([1]))
        #expect(settle.answer == answer)
        #expect(settle.userVerified && settle.phoneSignIn)
        #expect(Array(settle.deviceKey) == bench.phone.publicKey.x963)
    }

    @Test("every answer that is not genuine gets one neutral refusal, and challenge hears of none")
    func refused() async throws {
        let bench = try VerifierBench()
        bench.add(device: "d2", person: "p2", key: SoftwareDeviceSigner().publicKey, username: "bob")
        let answers = [
            try await bench.answer(by: SoftwareDeviceSigner()), try await bench.answer(device: "d2"),
            try await bench.answer(device: "d9"),
            try await bench.answer(audience: "https://evil.example/demo"), try await bench.answer(challenge: "c2"),
        ]
        var errors: Set<ServiceError> = []
        for answer in answers { errors.insert(try #require(await refusal(bench, answer))) }
        #expect(errors.count == 1)
        #expect(errors.first?.code == .refused)
        #expect(bench.world.withLock(\.settled).isEmpty)
    }

    @Test("what challenge refuses a device without a right is asked again with the right that it has got since")
    func newRight() async throws {
        let bench = try VerifierBench()
        bench.world.withLock { world in
            world.devices["d1"]?.device.phoneSignIn = false
            world.isPhoneSignInNeeded = true
        }
        let answer = try await bench.answer()
        #expect(await refusal(bench, answer)?.code == .refused)
        bench.world.withLock { $0.devices["d1"]?.device.phoneSignIn = true }
        #expect(try await bench.verify(answer: answer).status == "approved")
        // From memory now, and with the right: nobody asks again.
        let before = bench.world.withLock { world in
            world.settled = []
            return world.reads
        }
        let next = try await bench.answer(challenge: "c2")
        #expect(try await bench.verify(answer: next, challenge: "c2").status == "approved")
        #expect(bench.world.withLock(\.reads) == before)
        #expect(bench.world.withLock(\.settled).map(\.phoneSignIn) == [true])
    }

    @Test("a device whose version is too old is judged again by the version that it has told since")
    func newVersion() async throws {
        let bench = try VerifierBench()
        bench.world.withLock { $0.appVersionNeeded = "2.0" }
        #expect(await refusal(bench, try await bench.answer())?.code == .updateRequired)
        bench.world.withLock { $0.devices["d1"]?.device.facts.appVersion = "2.0" }
        let next = try await bench.answer(challenge: "c2")
        #expect(try await bench.verify(answer: next, challenge: "c2").status == "approved")
    }

    @Test("what is not an answer is malformed")
    func malformed() async throws {
        let bench = try VerifierBench()
        let proof = try await bench.proof()
        for text in ["", "a.b.c", proof] { #expect(await refusal(bench, text)?.code == .malformed) }
    }

    @Test("the identical retry reaches challenge again, which knows its first reply")
    func retry() async throws {
        let bench = try VerifierBench()
        let answer = try await bench.answer()
        #expect(try await bench.verify(answer: answer) == bench.verify(answer: answer))
        #expect(bench.world.withLock(\.settled).count == 2)
    }

    @Test("what challenge refuses is refused")
    func passedOn() async throws {
        let bench = try VerifierBench()
        bench.bus.inject(Settle.self) { throw ServiceError(.settled, "settled") }
        #expect(await refusal(bench, try await bench.answer())?.code == .settled)
    }

    @Test("under the NIST profile wrong numbers in a row disable a device, and an approval starts again")
    func nist() async throws {
        let bench = try VerifierBench { $0.profile = .nist80063b4 }
        let approved = bench.world.withLock(\.outcome)
        let wrong = SettleReply.with {
            $0.status = "denied"
            $0.reason = "wrong_number"
            $0.purpose = "signIn"
        }
        bench.world.withLock { $0.outcome = wrong }
        for number in 0..<99 {
            _ = try await bench.verify(answer: try await bench.answer(challenge: "c\(number)"), challenge: "c\(number)")
        }
        bench.world.withLock { $0.outcome = approved }
        _ = try await bench.verify(answer: try await bench.answer())
        bench.world.withLock { $0.outcome = wrong }
        for number in 0..<100 {
            let answer = try await bench.answer(challenge: "c\(number)")
            _ = try await bench.verify(answer: answer, challenge: "c\(number)")
            // A retry of the same answer is one failure.
            _ = try await bench.verify(answer: answer, challenge: "c\(number)")
        }
        bench.world.withLock { $0.outcome = approved }
        #expect(await refusal(bench, try await bench.answer())?.code == .refused)
    }

    @Test("an approval by push forgives wrong codes, but its replay forgives nothing later")
    func forgives() async throws {
        let bench = try VerifierBench()
        for _ in 0..<3 {
            _ = await bench.failure { () async throws(ServiceError) in try await bench.verify(.init(code: "000000")) }
        }
        let answer = try await bench.answer()
        _ = try await bench.verify(answer: answer)
        let error = await bench.failure { () async throws(ServiceError) in try await bench.verify(.init(code: "000000"))
        }
        #expect(error?.code == .invalidCode)

        bench.advance(.seconds(120))
        for _ in 0..<3 {
            _ = await bench.failure { () async throws(ServiceError) in try await bench.verify(.init(code: "000000")) }
        }
        _ = try await bench.verify(answer: answer)
        let later = await bench.failure { () async throws(ServiceError) in try await bench.verify(.init(code: "000000"))
        }
        #expect(later?.code == .tooManyAttempts)
    }

    @Test("an approval by push also forgives what was counted by a clock that was ahead")
    func forgivesSetBack() async throws {
        let bench = try VerifierBench()
        bench.advance(.seconds(86_400))
        for _ in 0..<10 {
            _ = await bench.failure { () async throws(ServiceError) in try await bench.verify(.init(code: "000000")) }
            bench.advance(.seconds(86_400))
        }
        bench.advance(.seconds(-11 * 86_400))
        _ = try await bench.verify(answer: try await bench.answer())
        #expect(try await bench.verify(.init(code: try bench.code())).deviceID == "d1")
    }

    @Test("a receipt that is sent again forgives nothing that a verifier counted whose clock is ahead")
    func replayApart() async throws {
        let bench = try VerifierBench()
        let receipt = try await bench.answer()
        _ = try await bench.verify(answer: receipt)
        bench.advance(.seconds(30))
        for _ in 0..<3 {
            _ = await bench.failure { () async throws(ServiceError) in try await bench.verify(.init(code: "000000")) }
        }
        bench.advance(.seconds(-20))
        _ = try await bench.verify(answer: receipt)
        let error = await bench.failure { () async throws(ServiceError) in try await bench.verify(.init(code: "000000"))
        }
        #expect(error?.code == .tooManyAttempts)
    }
}
