import Domain
import Storage
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

/// Why a request never reaches a phone.
enum Obstruction: String, Sendable, CaseIterable {
    case unknownUser, blocked, noDevice, onlyWaitingDevice, withoutPhoneSignIn, outsidePolicy, excluded, pushMode,
        disabled, fourthOpen

    var reason: SignInReason {
        switch self {
        case .unknownUser: .unknownUser
        case .blocked: .blocked
        case .noDevice, .onlyWaitingDevice, .withoutPhoneSignIn: .noDevice
        case .outsidePolicy, .excluded, .pushMode, .disabled: .outsidePolicy
        case .fourthOpen: .tooManyOpen
        }
    }

    /// Puts it in the way, and returns the user name to ask for.
    func arrange(_ bench: ChallengeBench) async throws -> String {
        let alice = [Neighbours.device("d1", of: "p1")]
        switch self {
        case .unknownUser: return "carol"
        case .blocked: bench.neighbours.add("alice", id: "p1", devices: alice) { $0.person.blocked = true }
        case .noDevice: bench.neighbours.add("alice", id: "p1", devices: [])
        case .onlyWaitingDevice:
            let device = Neighbours.device("d1", of: "p1", state: .awaitingConfirmation)
            bench.neighbours.add("alice", id: "p1", devices: [device])
        case .withoutPhoneSignIn:
            let device = Neighbours.device("d1", of: "p1", phoneSignIn: false)
            bench.neighbours.add("alice", id: "p1", devices: [device])
        case .outsidePolicy: bench.include(.init(targetType: .group, id: "g9"))
        case .excluded:
            bench.tenants.change(ChallengeBench.demo) { policy, _ in
                policy.excludeTargets = [.init(targetType: .user, id: "p1")]
            }
        case .pushMode:
            bench.include(.init(targetType: .group, id: "all_users", authenticationMode: .push))
        case .disabled: bench.tenants.change(ChallengeBench.demo) { policy, _ in policy.state = .disabled }
        case .fourthOpen: for _ in 0..<3 { _ = try await bench.begin() }
        }
        return "alice"
    }
}

extension ChallengeBench {
    fileprivate func include(_ target: AuthenticatorPolicy.IncludeTarget) {
        tenants.change(Self.demo) { policy, _ in policy.includeTargets = [target] }
    }
}

@Suite("Decoys")
struct DecoyTests {
    /// What one step costs: every call of the store by name, and what was asked of registration.
    private func cost(_ bench: ChallengeBench, _ step: () async throws -> Void) async throws -> [String: Int] {
        let before = bench.neighbours.state.withLock(\.resolved).count
        _ = bench.tally.take()
        try await step()
        var cost = bench.tally.take()
        cost["ResolvePerson"] = bench.neighbours.state.withLock(\.resolved).count - before
        return cost
    }

    @Test(
        "a decoy is answered like a request: the same shape, store calls and questions", arguments: Obstruction.allCases
    )
    func begins(_ obstruction: Obstruction) async throws {
        let real = try ChallengeBench()
        var expected = BeginChallengeReply()
        let realCost = try await cost(real) { expected = try await real.begin().reply }

        let bench = try ChallengeBench()
        let username = try await obstruction.arrange(bench)
        var reply = BeginChallengeReply()
        let decoyCost = try await cost(bench) { reply = try await bench.begin(username).reply }
        #expect(decoyCost == realCost)
        #expect(realCost["transaction"] == 1)
        #expect(try reply.serializedData().count == expected.serializedData().count)
        #expect(reply.number.count == expected.number.count && reply.secret.count == expected.secret.count)
        #expect(reply.expiresAtMs - reply.createdAtMs == expected.expiresAtMs - expected.createdAtMs)
        #expect(reply.methods == expected.methods)
    }

    @Test(
        "no phone lists a decoy and none rings, and it stays pending until it expires", arguments: Obstruction.allCases)
    func unseen(_ obstruction: Obstruction) async throws {
        let bench = try ChallengeBench()
        let username = try await obstruction.arrange(bench)
        let before = try await bench.pending().count
        let begun = try await bench.begin(username)
        await bench.deliver()
        #expect(try await bench.pending().count == before)
        #expect(!bench.neighbours.notified.contains { $0.challengeID == begun.id })
        #expect(try await bench.status(begun) == "pending")
        #expect(await bench.refusal { try await bench.redeem(begun) }?.code == .notApproved)
        await bench.elapse(.seconds(60))
        #expect(try await bench.status(begun) == "expired")
        let line = try #require(try await bench.line(begun.id))
        #expect(line.reason == obstruction.reason)
        #expect(line.isDecoy && line.status == .expired)
        await bench.deliver()
        #expect(!bench.neighbours.notified.contains { $0.challengeID == begun.id })
    }

    @Test("the right number from the right phone does not approve a decoy", arguments: Obstruction.allCases)
    func unanswerable(_ obstruction: Obstruction) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin(try await obstruction.arrange(bench))
        #expect(await bench.refusal { try await bench.approve(begun) }?.code == .refused)
        #expect(try await bench.status(begun) == "pending")
    }

    @Test("the end of a decoy costs what the end of a request costs", arguments: [false, true])
    func ends(_ isCanceled: Bool) async throws {
        func end(_ obstruction: Obstruction?) async throws -> [String: Int] {
            let bench = try ChallengeBench()
            let begun = try await bench.begin(try await obstruction?.arrange(bench) ?? "alice")
            return try await cost(bench) {
                if isCanceled { try await bench.cancel(begun) } else { await bench.elapse(.seconds(60)) }
            }
        }
        let expected = try await end(nil)
        for obstruction in Obstruction.allCases where obstruction != .fourthOpen {
            #expect(try await end(obstruction) == expected, "\(obstruction)")
        }
    }

    @Test("a decoy is canceled like a request")
    func canceled() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin("carol")
        try await bench.cancel(begun)
        try await bench.cancel(begun)
        #expect(try await bench.status(begun) == "canceled")
    }

    @Test("after one of three open requests has ended the next is real again")
    func room() async throws {
        let bench = try ChallengeBench()
        let first = try await bench.begin()
        for _ in 0..<2 { _ = try await bench.begin() }
        #expect(try await bench.record(bench.begin().id)?.isDecoy == true)
        try await bench.approve(first)
        #expect(try await bench.record(bench.begin().id)?.isDecoy == false)
    }

    @Test("decoys and a device's own challenges do not count as open")
    func notCounted() async throws {
        let bench = try ChallengeBench()
        bench.neighbours.add("alice", id: "p1", devices: [])
        for _ in 0..<5 { _ = try await bench.begin() }
        bench.neighbours.add("alice", id: "p1", devices: [Neighbours.device("d1", of: "p1")])
        for number in 0..<3 { _ = try await bench.beginForDevice("setup-\(number)", .phoneSignInSetup) }
        for _ in 0..<3 { #expect(try await bench.record(bench.begin().id)?.isDecoy == false) }
        #expect(try await bench.record(bench.begin().id)?.isDecoy == true)
    }

    @Test("mode deviceBasedPush makes a second factor a decoy, mode push a passwordless request")
    func modes() async throws {
        let bench = try ChallengeBench()
        bench.include(.init(targetType: .group, id: "all_users", authenticationMode: .deviceBasedPush))
        #expect(try await bench.record(bench.begin("alice", .secondFactor).id)?.isDecoy == true)
        #expect(try await bench.record(bench.begin().id)?.isDecoy == false)
        bench.include(.init(targetType: .group, id: "all_users", authenticationMode: .push))
        #expect(try await bench.record(bench.begin("alice", .secondFactor).id)?.isDecoy == false)
        #expect(try await bench.record(bench.begin().id)?.isDecoy == true)
    }
}
