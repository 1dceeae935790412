import Domain
import Foundation
import Proofs
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("A tenant's own rules of registration")
struct TenantRuleTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    private func set(_ change: (inout TenantSettings) -> Void) {
        fixture.tenants.change(Fixture.demo) { change(&$1) }
    }

    @Test("a ticket lives as long as the tenant says", arguments: [1, 10, 2880])
    func activationLifetime(minutes: Int) async throws {
        set { $0.activationLifetimeMinutes = minutes }
        let alice = try await fixture.person("alice")
        let activation = try await fixture.activation(alice)
        let end = fixture.clock.now + .seconds(60 * minutes)
        #expect(activation.expiresAtMs == end.milliseconds)
        fixture.clock.advance(.seconds(60 * minutes) - .milliseconds(1))
        #expect(await fixture.refusal(try fixture.registration(activation.ticket, SoftwareDeviceSigner())) == nil)
        let late = try await fixture.activation(alice).ticket
        fixture.clock.advance(.seconds(60 * minutes))
        #expect(await fixture.refusal(try fixture.registration(late, SoftwareDeviceSigner())) == .expired)
    }

    @Test("so many tickets may wait as the tenant says", arguments: [1, 3])
    func activations(count: Int) async throws {
        set { $0.activationsPerPerson = count }
        let alice = try await fixture.person("alice")
        for _ in 0..<count { _ = try await fixture.activation(alice) }
        let next = CreateActivation.with { ($0.tenant, $0.personID) = ("demo", alice.id) }
        #expect(await fixture.refusal(next) == .tooManyActivations)
    }

    @Test("who starts once more from the own page takes the place of the oldest that waits, and no more wait than may")
    func replaced() async throws {
        set { $0.activationsPerPerson = 2 }
        let alice = try await fixture.person("alice")
        var used: [CreateActivationReply] = []
        for _ in 0..<2 {
            used.append(try await fixture.activation(alice))
            fixture.clock.advance(.seconds(1))
        }
        let next = CreateActivation.with { ($0.tenant, $0.personID, $0.replaceOldest) = ("demo", alice.id, true) }
        let fixture = fixture
        let (first, second) = (used[0], used[1])
        async let told = fixture.state(first, of: alice, known: "waiting", waitMs: 20_000)
        let fresh = try await fixture.call(next)
        #expect(try await told.state == "expired")
        #expect(try await fixture.state(second, of: alice).state == "waiting")
        #expect(await fixture.refusal(try fixture.registration(first.ticket, SoftwareDeviceSigner())) == .expired)
        // A phone that has begun to use its ticket waits no more, and is not thrown out.
        let device = try await fixture.call(fixture.registration(second.ticket, SoftwareDeviceSigner())).device
        for _ in 0..<2 {
            fixture.clock.advance(.seconds(1))
            _ = try await fixture.call(next)
        }
        #expect(try await fixture.state(fresh, of: alice).state == "expired")
        try await fixture.confirm(device)
        #expect(try await fixture.state(second, of: alice).state == "active")
        var refused = next
        refused.replaceOldest = false
        #expect(await fixture.refusal(refused) == .tooManyActivations)
    }

    @Test("a pass is as long, and lives as long, as the tenant says")
    func pass() async throws {
        set { ($0.temporaryAccessPassLength, $0.temporaryAccessPassLifetimeMinutes) = (48, 10) }
        let alice = try await fixture.person("alice")
        let issued = try await fixture.issue(alice, once: false)
        #expect(issued.pass.count == 48)
        #expect(issued.expiresAtMs == (fixture.clock.now + .seconds(600)).milliseconds)
        fixture.clock.advance(.seconds(600) - .milliseconds(1))
        #expect(await fixture.refusal(fixture.passLogin("alice", issued.pass)) == nil)
        fixture.clock.advance(.milliseconds(1))
        #expect(await fixture.refusal(fixture.passLogin("alice", issued.pass)) == .invalidCredentials)
    }

    @Test("a phone generates codes as the tenant says", arguments: CodeAlgorithm.allCases)
    func offlineCode(algorithm: CodeAlgorithm) async throws {
        set {
            $0.offlineCodeAlgorithm = algorithm
            ($0.offlineCodeDigits, $0.offlineCodePeriodSeconds) = (8, 60)
        }
        let ticket = try await fixture.activation(fixture.person("alice")).ticket
        let code = try await fixture.call(fixture.registration(ticket, SoftwareDeviceSigner())).offlineCode
        #expect(code.algorithm == algorithm.rawValue && code.digits == 8 && code.period == 60)
    }
}
