import Domain
import Proofs
import RegistrationService
import ServiceKit
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Phone sign-in")
struct PhoneSignInTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    @Test("it is on after a password and a confirmed request, and off when disabled")
    func setUp() async throws {
        let device = try await fixture.device(fixture.person("alice"))
        let reply = try await fixture.call(fixture.setup(device))
        #expect(reply.number == "57")
        #expect(fixture.challenge.begun.last?.purpose == "phoneSignInSetup")
        #expect(try await !fixture.read(device).device.phoneSignIn)
        _ = try await fixture.call(fixture.confirmSetup(reply.challengeID, device), from: .challenge)
        let now = try await fixture.read(device).device
        #expect(now.phoneSignIn)
        #expect(now.phoneSignInAtMs == fixture.clock.now.milliseconds)
        _ = try await fixture.call(
            DisablePhoneSignIn.with {
                $0.tenant = "demo"
                $0.deviceID = device.id
            })
        #expect(try await !fixture.read(device).device.phoneSignIn)
        // Word of the old request that comes again changes nothing.
        _ = try await fixture.call(fixture.confirmSetup(reply.challengeID, device), from: .challenge)
        #expect(try await !fixture.read(device).device.phoneSignIn)
    }

    @Test("a wrong password, none at all, and a denied request leave it off")
    func refused() async throws {
        let device = try await fixture.device(fixture.person("alice"))
        #expect(await fixture.refusal(fixture.setup(device, password: "wrong")) == .refused)
        #expect(await fixture.refusal(fixture.setup(device, password: "")) == .refused)
        let reply = try await fixture.call(fixture.setup(device))
        _ = try await fixture.call(fixture.confirmSetup(reply.challengeID, device, approved: false), from: .challenge)
        #expect(try await !fixture.read(device).device.phoneSignIn)
    }

    @Test("the mode push, and an exclusion, refuse it")
    func policy() async throws {
        let alice = try await fixture.person("alice")
        let device = try await fixture.device(alice)
        fixture.tenants.change(Fixture.demo) { policy, _ in policy.includeTargets[0].authenticationMode = .push }
        #expect(await fixture.refusal(fixture.setup(device)) == .refused)
        fixture.tenants.change(Fixture.demo) { policy, _ in
            policy.includeTargets[0].authenticationMode = .any
            policy.excludeTargets = [AuthenticatorPolicy.Target(targetType: .user, id: alice.id)]
        }
        #expect(await fixture.refusal(fixture.setup(device)) == .refused)
    }

    @Test("a key is enabled in one tenant only, and the error names the rule")
    func oneTenant() async throws {
        let key = SoftwareDeviceSigner()
        let here = try await fixture.device(fixture.person("alice"), key: key)
        let there = try await fixture.device(
            fixture.person("alice", tenant: Fixture.other), key: key, tenant: Fixture.other)
        // Begun while nobody was enabled: the rule is asked again at the confirmation.
        let early = try await fixture.call(fixture.setup(there))
        let reply = try await fixture.call(fixture.setup(here))
        _ = try await fixture.call(fixture.confirmSetup(reply.challengeID, here), from: .challenge)
        #expect(
            await fixture.refusal(fixture.confirmSetup(early.challengeID, there), from: .challenge) == .singleTenant)
        do {
            _ = try await fixture.call(fixture.setup(there))
            Issue.record("a second tenant was let in")
        } catch {
            #expect(error.code == .singleTenant)
            #expect(error.detail.contains("one tenant"))
        }
        fixture.tenants.change(Fixture.other) { $1.phoneSignInInSeveralTenants = true }
        let lifted = try await fixture.call(fixture.setup(there))
        _ = try await fixture.call(fixture.confirmSetup(lifted.challengeID, there), from: .challenge)
        #expect(try await fixture.read(there).device.phoneSignIn)
    }

    @Test("a pass's session sets it up without a password on one device, once")
    func byPass() async throws {
        let alice = try await fixture.person("alice")
        let token = try await fixture.call(fixture.passLogin("alice", fixture.issue(alice).pass)).sessionToken
        let session = try await fixture.session(token)
        let first = try await fixture.device(alice, session: session)
        let second = try await fixture.device(alice, session: session)
        _ = try await fixture.call(fixture.setup(first, password: ""))
        #expect(await fixture.refusal(fixture.setup(first, password: "")) == .refused)
        #expect(await fixture.refusal(fixture.setup(second, password: "")) == .refused)
    }

    @Test("what a set-up would get is told to who asks for it, before anybody tries")
    func toldBefore() async throws {
        func told(_ device: DeviceRecord) async throws -> (refusal: String, needsCredential: Bool) {
            let reply = try await fixture.read(device, withSetUp: true)
            return (reply.setUpRefusal, reply.setUpNeedsCredential)
        }
        let key = SoftwareDeviceSigner()
        let alice = try await fixture.person("alice")
        let device = try await fixture.device(alice, key: key)
        #expect(try await told(device) == ("", true))
        #expect(try await fixture.read(device).setUpNeedsCredential == false, "nobody asked for it")
        let token = try await fixture.call(fixture.passLogin("alice", fixture.issue(alice).pass)).sessionToken
        let vouched = try await fixture.device(alice, session: fixture.session(token))
        #expect(try await told(vouched) == ("", false))
        _ = try await fixture.call(fixture.setup(vouched, password: ""))
        #expect(try await told(vouched) == ("", true), "once")
        let there = try await fixture.device(
            fixture.person("alice", tenant: Fixture.other), key: key, tenant: Fixture.other)
        let reply = try await fixture.call(fixture.setup(device))
        _ = try await fixture.call(fixture.confirmSetup(reply.challengeID, device), from: .challenge)
        #expect(try await told(there) == ("single_tenant", true))
        #expect(try await told(device) == ("", true), "it is the one")
        fixture.tenants.change(Fixture.demo) { policy, _ in policy.includeTargets[0].authenticationMode = .push }
        #expect(try await told(device) == ("refused", true))
    }
}
