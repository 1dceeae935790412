import Domain
import Foundation
import Storage
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@testable import ChallengeService

extension ChallengeBench {
    @discardableResult
    func beginForDevice(
        _ id: String, _ purpose: Purpose, device: String = "d1", person: String = "p1", expiresIn: Duration? = nil,
        tenant: TenantID = demo
    ) async throws(ServiceError) -> BeginDeviceChallengeReply {
        let expiresAt = expiresIn.map { now + $0 }
        return try await call(
            BeginDeviceChallenge.with {
                $0.tenant = tenant.rawValue
                $0.id = id
                $0.purpose = purpose.rawValue
                $0.personID = person
                $0.username = "alice"
                $0.deviceID = device
                $0.application = "Demo"
                $0.push.transport = "fcm"
                $0.push.address = Data("address".utf8)
                $0.expiresAtMs = expiresAt?.milliseconds ?? 0
            }, from: .registration)
    }
}

@Suite("A device's own challenges")
struct DeviceChallengeTests {
    static let purposes: [Purpose] = [.registration, .phoneSignInSetup]

    private func answer(_ bench: ChallengeBench, _ number: String, _ change: (inout Settle) -> Void = { _ in })
        async throws -> Settle
    {
        try await bench.answer("c1", number: number) {
            $0.deviceState = "awaitingConfirmation"
            $0.phoneSignIn = false
            change(&$0)
        }
    }

    @Test(
        "a device answers its own registration while it waits, and registration has committed before the reply"
    )
    func registration() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", .registration, expiresIn: .seconds(600))
        #expect(begun.expiresAtMs == (bench.now + .seconds(600)).milliseconds)
        let pending = try #require(try await bench.pending().first)
        #expect(pending.id == "c1" && pending.purpose == "registration")
        #expect(String(decoding: pending.content, as: UTF8.self).firstRange(of: #""number":"#) == nil)
        let reply = try await bench.settle(answer(bench, begun.number))
        #expect(reply.status == "approved" && reply.purpose == "registration")
        let confirmed = try #require(bench.neighbours.confirmed.first)
        #expect(confirmed.approved && confirmed.deviceID == "d1" && confirmed.challengeID == "c1")
        #expect(confirmed.tenant == "demo" && confirmed.purpose == "registration")
        // Done: the outbox has nothing left to repeat.
        #expect(!(try await bench.outbox().contains { $0.kind == .confirm }))
    }

    @Test(
        "until registration has committed the answer gets 503, and the identical retry completes it",
        arguments: purposes)
    func retry(_ purpose: Purpose) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", purpose)
        let answer = try await bench.answer("c1", number: begun.number)
        bench.bus.inject(ConfirmDevice.self) { throw ServiceError(.unavailable, "away") }
        for _ in 0..<3 {
            let error = await bench.refusal { try await bench.settle(answer) }
            #expect(error?.code == .unavailable && error?.retryAfter == .seconds(1))
        }
        #expect(try await bench.record("c1")?.machine.state.status == .approved)
        bench.bus.inject(ConfirmDevice.self, nil)
        #expect(try await bench.settle(answer).status == "approved")
        #expect(try await bench.settle(answer).status == "approved")
        #expect(bench.neighbours.confirmed.count == 2)
    }

    @Test("the outbox completes what no retry completes, under the same request id, and leaves it be in the grace time")
    func outbox() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", .registration)
        let answer = try await answer(bench, begun.number)
        bench.bus.inject(ConfirmDevice.self) { throw ServiceError(.unavailable, "away") }
        _ = await bench.refusal { try await bench.settle(answer) }
        bench.bus.inject(ConfirmDevice.self, nil)
        await bench.deliver()
        #expect(bench.neighbours.confirmed.isEmpty)
        bench.clock.advance(.seconds(2))
        await bench.deliver()
        #expect(bench.neighbours.confirmed.map(\.approved) == [true])
        _ = try await bench.settle(answer)
        let ids = bench.neighbours.state.withLock { Set($0.confirmed.map(\.id)) }
        #expect(ids.count == 1)
    }

    @Test("an effect that is owed survives a restart and never stops being owed")
    func restart() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", .registration)
        bench.bus.inject(ConfirmDevice.self) {
            throw ServiceError(.unavailable, "away", members: ["outcome": "unknown"])
        }
        let answer = try await answer(bench, begun.number)
        _ = await bench.refusal { try await bench.settle(answer) }
        for _ in 0..<50 {
            bench.clock.advance(.seconds(60))
            await bench.deliver()
        }
        bench.bus.inject(ConfirmDevice.self, nil)
        let restarted = bench.another()
        bench.clock.advance(.seconds(60))
        try await restarted.resume()
        await restarted.outbox.deliverDue()
        #expect(bench.neighbours.confirmed.map(\.approved) == [true])
        #expect(try await bench.outbox().isEmpty)
    }

    @Test("a wrong number ends an activation at once, whatever the tenant allows elsewhere, and registration is told")
    func wrongNumber() async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 3 }
        let begun = try await bench.beginForDevice("c1", .registration)
        let wrong = begun.number == "11" ? "12" : "11"
        let reply = try await bench.settle(answer(bench, wrong))
        #expect(reply.status == "denied" && reply.reason == "wrong_number")
        #expect(bench.neighbours.confirmed.map(\.approved) == [false])
        #expect(await bench.refusal { try await bench.settle(answer(bench, begun.number)) }?.code == .settled)
    }

    @Test("phone sign-in is set up with as many tries as the tenant allows")
    func triesOfSetUp() async throws {
        let bench = try ChallengeBench { $0.wrongNumbersPerRequest = 2 }
        let begun = try await bench.beginForDevice("c1", .phoneSignInSetup)
        let wrong = begun.number == "11" ? "12" : "11"
        let reply = try await bench.settle(answer(bench, wrong) { $0.deviceState = "active" })
        #expect(reply.status == "pending" && reply.reason == "wrong_number")
        #expect(bench.neighbours.confirmed.isEmpty)
        let right = try await bench.settle(answer(bench, begun.number) { $0.deviceState = "active" })
        #expect(right.status == "approved")
        #expect(bench.neighbours.confirmed.map(\.approved) == [true])
    }

    @Test("a decline, a report, an expiry and a revocation tell registration that it failed", arguments: purposes)
    func failures(_ purpose: Purpose) async throws {
        for end in 0..<4 {
            let bench = try ChallengeBench()
            try await bench.beginForDevice("c1", purpose)
            switch end {
            case 0: _ = try await bench.settle(bench.answer("c1", .decline))
            case 1: _ = try await bench.settle(bench.answer("c1", .report))
            case 2: await bench.elapse(.seconds(60))
            default: try await bench.revoke()
            }
            bench.clock.advance(.seconds(2))
            await bench.deliver()
            #expect(bench.neighbours.confirmed.map(\.approved) == [false], "\(end)")
        }
    }

    @Test("only the device that asked may answer", arguments: purposes)
    func onlyDevice(_ purpose: Purpose) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", purpose)
        let other = try await bench.answer("c1", number: begun.number) { $0.deviceID = "d2" }
        #expect(await bench.refusal { try await bench.settle(other) }?.code == .refused)
        #expect(try await bench.pending("d2").isEmpty)
        #expect(bench.neighbours.confirmed.isEmpty)
    }

    @Test("phone sign-in is set up by an active device only")
    func activeOnly() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", .phoneSignInSetup)
        #expect(await bench.refusal { try await bench.settle(answer(bench, begun.number)) }?.code == .refused)
        let active = try await bench.answer("c1", number: begun.number) { $0.phoneSignIn = false }
        #expect(try await bench.settle(active).status == "approved")
    }

    @Test("a repeat gets the same number, and the id of another challenge is a conflict")
    func repeated() async throws {
        let bench = try ChallengeBench()
        let first = try await bench.beginForDevice("c1", .registration)
        bench.clock.advance(.seconds(10))
        #expect(try await bench.beginForDevice("c1", .registration) == first)
        #expect(try await bench.outbox().count == 1)
        #expect(
            await bench.refusal { try await bench.beginForDevice("c1", .registration, device: "d2") }?.code
                == .conflict)
        #expect(await bench.refusal { try await bench.beginForDevice("c1", .phoneSignInSetup) }?.code == .conflict)
    }

    @Test("nobody awaits, cancels or redeems a device's own challenge, with whatever secret")
    func noSecret() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.beginForDevice("c1", .registration)
        _ = try await bench.settle(answer(bench, begun.number))
        let reply = BeginChallengeReply.with { $0.id = "c1" }
        for owner in [ChallengeBench.client, Ownership()] {
            var stranger = Begun(reply, bench.request())
            stranger.owner = owner
            for digest in [Data(), stranger.secretDigest] {
                stranger.secretDigest = digest
                let asking = stranger
                #expect(await bench.refusal { try await bench.redeem(asking) }?.code == .notFound)
                #expect(await bench.refusal { try await bench.outcome(asking) }?.code == .notFound)
                #expect(await bench.refusal { try await bench.cancel(asking) }?.code == .notFound)
            }
        }
    }

    @Test("what is not a device's own challenge is malformed")
    func malformed() async throws {
        let bench = try ChallengeBench()
        #expect(await bench.refusal { try await bench.beginForDevice("c1", .signIn) }?.code == .malformed)
        #expect(await bench.refusal { try await bench.beginForDevice("", .registration) }?.code == .malformed)
        #expect(
            await bench.refusal { try await bench.beginForDevice("c1", .registration, device: "") }?.code == .malformed)
    }

    @Test("a device's own challenges count towards no budget")
    func budget() async throws {
        let bench = try ChallengeBench()
        for number in 0..<6 {
            try await bench.beginForDevice("c\(number)", .phoneSignInSetup)
            await bench.elapse(.seconds(60))
        }
        #expect(try await bench.budget() == RequestBudget())
        #expect(try await bench.record(bench.begin().id)?.isSilenced == false)
    }
}
