import Domain
import Foundation
import Messaging
import Proofs
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import VerifierService
import Wire

@Suite("Offline codes")
struct CodeTests {
    private func refusal(_ bench: VerifierBench, _ code: VerifierBench.Code) async -> ServiceError? {
        await bench.failure { () async throws(ServiceError) in try await bench.verify(code) }
    }

    @Test(
        "the code of the phone, of the step before and of the step after is accepted", arguments: [0, -1, 1] as [Int64])
    func accepted(_ steps: Int64) async throws {
        let bench = try VerifierBench()
        #expect(try await bench.verify(.init(code: try bench.code(steps))).deviceID == "d1")
    }

    @Test("a code outside the window is not", arguments: [-2, 2] as [Int64])
    func outside(_ steps: Int64) async throws {
        let bench = try VerifierBench()
        #expect(await refusal(bench, .init(code: try bench.code(steps)))?.code == .invalidCode)
    }

    @Test("a step is accepted once and no step before it, whatever the challenge; the same challenge repeats its reply")
    func once() async throws {
        let bench = try VerifierBench()
        let code = try bench.code()
        _ = try await bench.verify(.init(code: code))
        #expect(try await bench.verify(.init(code: code)).deviceID == "d1")
        #expect(await refusal(bench, .init(code: code, challenge: "c2"))?.code == .invalidCode)
        #expect(await refusal(bench, .init(code: try bench.code(-1), challenge: "c2"))?.code == .invalidCode)
        #expect(try await bench.verify(.init(code: try bench.code(1), challenge: "c2")).deviceID == "d1")
    }

    @Test("the same code raced at two instances over one store wins once")
    func race() async throws {
        let bench = try VerifierBench()
        for round in 0..<200 {
            let code = try bench.code()
            let other = bench.service().routes
            let accepted = try await withThrowingTaskGroup(of: Bool.self) { group in
                for racer in 0..<2 {
                    let request = bench.request(.init(code: code, challenge: "r\(round)-\(racer)"))
                    let context = bench.context()
                    group.addTask {
                        guard racer == 0 else {
                            return (try? await bench.bus.caller(.challenge).call(request, context)) != nil
                        }
                        let handler = other.handlers[VerifyCode.method.id]
                        let body: [UInt8] = try request.serializedBytes()
                        return (try? await handler?.handle(body, .init(caller: .challenge, call: context))) != nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(accepted == 1)
            bench.advance(.seconds(30))
        }
    }

    @Test(
        "three wrong codes make the next wait, and the wait doubles, across challenges",
        arguments: [("p1", "Alice"), ("", "nobody")])
    func delays(_ person: String, _ username: String) async throws {
        let bench = try VerifierBench()
        for number in 0..<3 {
            let code = VerifierBench.Code(code: "000000", challenge: "c\(number)", username: username, person: person)
            #expect(await refusal(bench, code)?.code == .invalidCode)
        }
        for minutes in [2, 4, 8] {
            let code = VerifierBench.Code(
                code: try bench.code(), challenge: "x", username: username.uppercased(), person: person)
            let error = await refusal(bench, code)
            #expect(error?.code == .tooManyAttempts)
            #expect(error?.retryAfter == .seconds(minutes * 60))
            bench.advance(.seconds(minutes * 60))
            let wrong = VerifierBench.Code(code: "000000", username: username, person: person)
            #expect(await refusal(bench, wrong)?.code == .invalidCode)
        }
    }

    @Test("the tenth wrong code locks, time does not unlock, an administrator does")
    func lock() async throws {
        let bench = try VerifierBench()
        for _ in 0..<10 {
            #expect(await refusal(bench, .init(code: "000000"))?.code == .invalidCode)
            bench.advance(.seconds(86_400))
        }
        #expect(await refusal(bench, .init(code: try bench.code()))?.code == .tooManyAttempts)
        try await bench.service().purge()
        bench.advance(.seconds(90 * 86_400))
        try await bench.service().purge()
        #expect(await refusal(bench, .init(code: try bench.code()))?.code == .tooManyAttempts)

        let unlock = UnlockCodes.with {
            $0.tenant = "demo"
            $0.username = "ALICE"
            $0.actor = .with {
                $0.kind = "person"
                $0.id = "admin"
            }
        }
        _ = try await bench.bus.caller(.gateway).call(unlock, bench.context())
        _ = try await bench.verify(.init(code: try bench.code()))

        let audit = try await bench.bus.caller(.gateway).call(
            ListVerifierAudit.with { $0.tenant = "demo" }, bench.context())
        #expect(audit.entries.map(\.action) == ["codes.unlock", "codes.lock"])
        #expect(audit.entries.first?.target == "alice")
    }

    @Test("when wrong codes make the next wait, for how long, and when they lock, is the tenant's choice")
    func tenantsRules() async throws {
        let bench = try VerifierBench {
            ($0.wrongCodesBeforeDelay, $0.wrongCodeDelayMinutes, $0.wrongCodesBeforeLock) = (1, 5, 6)
        }
        for minutes in [5, 10, 20, 40, 80] {
            #expect(await refusal(bench, .init(code: "000000"))?.code == .invalidCode)
            #expect(await refusal(bench, .init(code: try bench.code()))?.retryAfter == .seconds(60 * minutes))
            bench.advance(.seconds(60 * minutes))
        }
        #expect(await refusal(bench, .init(code: "000000"))?.code == .invalidCode)
        bench.advance(.seconds(30 * 86_400))
        #expect(await refusal(bench, .init(code: try bench.code()))?.code == .tooManyAttempts, "locked")
    }

    @Test("a tenant may take the code of this step alone")
    func noWindow() async throws {
        let bench = try VerifierBench { $0.offlineCodeWindowSteps = 0 }
        for steps: Int64 in [-1, 1] {
            #expect(await refusal(bench, .init(code: try bench.code(steps)))?.code == .invalidCode)
        }
        #expect(try await bench.verify(.init(code: try bench.code())).deviceID == "d1")
    }

    @Test("a wait given by a clock that was ahead is over when it is set back; a lock stays, and looks like a wait")
    func setBack() async throws {
        let bench = try VerifierBench()
        bench.advance(.seconds(30 * 86_400))
        for _ in 0..<3 { #expect(await refusal(bench, .init(code: "000000"))?.code == .invalidCode) }
        bench.advance(.seconds(-30 * 86_400))
        #expect(await refusal(bench, .init(code: "000000"))?.code == .invalidCode)
        #expect(await refusal(bench, .init(code: try bench.code()))?.retryAfter == .seconds(4 * 60))
        bench.advance(.seconds(30 * 86_400))
        for _ in 0..<6 {
            #expect(await refusal(bench, .init(code: "000000"))?.code == .invalidCode)
            bench.advance(.seconds(86_400))
        }
        bench.advance(.seconds(-36 * 86_400))
        #expect(await refusal(bench, .init(code: try bench.code()))?.retryAfter == .seconds(256 * 60))
    }

    @Test("a wait given by a verifier whose clock is a little ahead is one")
    func apart() async throws {
        let bench = try VerifierBench()
        bench.advance(.seconds(30))
        for _ in 0..<3 { #expect(await refusal(bench, .init(code: "000000"))?.code == .invalidCode) }
        bench.advance(.seconds(-30))
        #expect(await refusal(bench, .init(code: try bench.code()))?.code == .tooManyAttempts)
    }

    @Test("a right code starts the count again")
    func success() async throws {
        let bench = try VerifierBench()
        for _ in 0..<2 { #expect(await refusal(bench, .init(code: "000000"))?.code == .invalidCode) }
        _ = try await bench.verify(.init(code: try bench.code()))
        for _ in 0..<3 { #expect(await refusal(bench, .init(code: "000000", challenge: "c2"))?.code == .invalidCode) }
        #expect(await refusal(bench, .init(code: "000000", challenge: "c2"))?.code == .tooManyAttempts)
    }

    @Test("a code alone where the password is needed is not looked at")
    func alone() async throws {
        let bench = try VerifierBench()
        let code = try bench.code()
        for _ in 0..<20 {
            #expect(await refusal(bench, .init(code: code, isPasswordRequired: true))?.code == .invalidCode)
        }
        #expect(
            try await bench.verify(.init(code: code, password: "correct", isPasswordRequired: true)).deviceID == "d1")
    }

    @Test("a wrong password with a right code uses no step and never locks")
    func wrongPassword() async throws {
        let bench = try VerifierBench()
        for _ in 0..<15 {
            let error = await refusal(bench, .init(code: try bench.code(), password: "wrong", isPasswordRequired: true))
            #expect(error?.code == .invalidCode)
            bench.advance(.seconds(86_400))
        }
        #expect(
            try await bench.verify(.init(code: try bench.code(), password: "correct", isPasswordRequired: true))
                .deviceID == "d1")
    }

    @Test("a repeat of the same request by the bus counts once")
    func repeated() async throws {
        let bench = try VerifierBench()
        let context = bench.context()
        for _ in 0..<5 {
            let error = await bench.failure { () async throws(ServiceError) in
                try await bench.verify(.init(code: "000000"), context)
            }
            #expect(error?.code == .invalidCode)
        }
        let failures = try await bench.store.read {
            try $0.codeFailures(tenant: VerifierBench.tenant, username: FoldedUsername("alice"))
        }
        #expect(failures?.count == 1)
    }

    @Test("parallel guesses do not get past the counter")
    func flood() async throws {
        let bench = try VerifierBench()
        let looked = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    await refusal(bench, .init(code: "000000", challenge: "c\(number)"))?.code == .invalidCode
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(looked == 3)
    }

    @Test("the code of any of the person's phones is accepted")
    func secondPhone() async throws {
        let bench = try VerifierBench()
        let other = Array("09876543210987654321".utf8)
        bench.world.withLock { $0.secrets.append(VerifierBench.offlineSecret("d2", other)) }
        let reply = try await bench.verify(.init(code: try bench.code(secret: other)))
        #expect(reply.deviceID == "d2" && reply.deviceName == "Phone d2")
    }
}
