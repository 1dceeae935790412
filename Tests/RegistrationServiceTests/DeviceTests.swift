import Domain
import Foundation
import Proofs
import RegistrationService
import Secrets
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Activation and devices")
struct DeviceTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    @Test("a phone is waited for, confirmed by number, and then active with offline codes")
    func activation() async throws {
        let alice = try await fixture.person("alice")
        let activation = try await fixture.activation(alice)
        #expect(try await fixture.state(activation, of: alice).state == "waiting")
        let reply = try await fixture.call(fixture.registration(activation.ticket, SoftwareDeviceSigner()))
        #expect(reply.device.state == "awaitingConfirmation")
        #expect(reply.offlineCode.secret.count == 20)
        #expect(fixture.challenge.begun.map(\.id) == [reply.device.activationChallengeID])
        #expect(fixture.challenge.begun.first?.expiresAtMs == activation.expiresAtMs)
        let confirming = try await fixture.state(activation, of: alice)
        #expect(confirming.state == "confirming")
        #expect(confirming.number == "57")
        let secrets = ReadOfflineSecrets.with {
            $0.tenant = "demo"
            $0.personID = alice.id
        }
        #expect(try await fixture.call(secrets, from: .verifier).secrets.isEmpty)
        try await fixture.confirm(reply.device)
        let active = try await fixture.state(activation, of: alice)
        #expect(active.state == "active")
        #expect(active.deviceID == reply.device.id)
        #expect(try await fixture.call(secrets, from: .verifier).secrets == [reply.offlineCode])
    }

    @Test("a page that waits hears of the change at once")
    func waiting() async throws {
        let alice = try await fixture.person("alice")
        let activation = try await fixture.activation(alice)
        async let parked = fixture.state(activation, of: alice, known: "waiting", waitMs: 30_000)
        _ = try await fixture.call(fixture.registration(activation.ticket, SoftwareDeviceSigner()))
        #expect(try await parked.state == "confirming")
    }

    @Test("a denied confirmation ends the activation and removes the device")
    func denied() async throws {
        let alice = try await fixture.person("alice")
        let activation = try await fixture.activation(alice)
        let device = try await fixture.call(fixture.registration(activation.ticket, SoftwareDeviceSigner())).device
        try await fixture.confirm(device, approved: false)
        #expect(try await fixture.state(activation, of: alice).state == "expired")
        #expect(try await !fixture.read(device).found)
    }

    @Test("the same ticket and key get the first reply again, another key gets nothing")
    func sameTicket() async throws {
        let alice = try await fixture.person("alice")
        let ticket = try await fixture.activation(alice).ticket
        let key = SoftwareDeviceSigner()
        let first = try await fixture.call(fixture.registration(ticket, key))
        #expect(try await fixture.call(fixture.registration(ticket, key)) == first)
        #expect(await fixture.refusal(try fixture.registration(ticket, SoftwareDeviceSigner())) == .ticketUsed)
        try await fixture.confirm(first.device)
        #expect(await fixture.refusal(try fixture.registration(ticket, key)) == .ticketUsed)
    }

    @Test("a registration under its caller's key gets the first reply, confirmed or late, and another body none")
    func registeredAgain() async throws {
        let alice = try await fixture.person("alice")
        let ticket = try await fixture.activation(alice).ticket
        let request = try await fixture.registration(ticket, SoftwareDeviceSigner())
        let key = RequestID(idempotencyDigest: sha256(Array("k".utf8)))
        let first = try await fixture.call(request, id: key)
        try await fixture.confirm(first.device)
        fixture.clock.advance(.seconds(300))
        #expect(try await fixture.call(request, id: key) == first)
        var other = request
        other.facts.name = "Another"
        fixture.clock.advance(.seconds(-300))
        #expect(await fixture.refusal(other, id: key) == .idempotencyMismatch)
        #expect(await fixture.refusal(request) == .ticketUsed)
    }

    @Test(
        "a push address that its provider does not know is dropped, the device stays, and an address that came since stays"
    )
    func deadAddress() async throws {
        let device = try await fixture.device(try await fixture.person("alice"))
        func drop(_ token: String, _ transport: String = "fcm", device id: String? = nil) async throws {
            try await self.drop(Data(token.utf8), transport, of: id ?? device.id)
        }
        try await give("first", "fcm", to: device.id)
        try await give("second", "fcm", to: device.id)
        try await drop("first")
        try await drop("second", "apns")
        try await drop("second", device: "another")
        #expect(try await fixture.read(device).device.push.address == Data("second".utf8))
        try await drop("second")
        let read = try await fixture.read(device)
        #expect(read.found && read.device.state == "active" && read.device.push.transport == "none")
        #expect(read.device.push.address.isEmpty)
        try await drop("second")
        let audit = try await fixture.call(ListDirectoryAudit.with { $0.tenant = "demo" })
        #expect(audit.entries.first?.action == "device.drop-push-address")
        #expect(audit.entries.filter { $0.action == "device.drop-push-address" }.count == 1)
        let text = try audit.entries.map { try $0.jsonString() }.joined()
        #expect(!text.contains("second"))
        #expect(await fixture.refusal(DropPushAddress(), from: .gateway) == .refused)
    }

    @Test(
        "an address that a phone gives again is kept with the later time, and survives what is said of the earlier one")
    func addressGivenAgain() async throws {
        let device = try await fixture.device(try await fixture.person("alice"))
        func give() async throws -> Data {
            try await self.give(#"{"token":"0a"}"#, "apns", to: device.id)
            return try await fixture.read(device).device.push.address
        }
        let first = try await give()
        fixture.clock.advance(.seconds(60))
        let second = try await give()
        let kept = try [first, second].map { try JSONValue(parsing: Array($0)) }
        #expect(kept.map { $0["token"] } == ["0a", "0a"])
        let times = try kept.map { try #require($0["registeredAt"]?.wholeNumber) }
        #expect(times[1] - times[0] == 60_000)
        try await drop(first, "apns", of: device.id)
        #expect(try await fixture.read(device).device.push.address == second)
    }

    private func give(_ address: String, _ transport: String, to device: String) async throws {
        _ = try await fixture.call(
            ChangeDevice.with {
                $0.tenant = "demo"
                $0.deviceID = device
                $0.push = .with {
                    $0.transport = transport
                    $0.address = Data(address.utf8)
                }
            })
    }

    private func drop(_ address: Data, _ transport: String, of device: String) async throws {
        _ = try await fixture.call(
            DropPushAddress.with {
                $0.tenant = "demo"
                $0.deviceID = device
                $0.transport = transport
                $0.addressDigest = Data(sha256(Array(address)))
            }, from: .notifier)
    }

    @Test("of two phones with one ticket one wins, 200 times")
    func race() async throws {
        fixture.tenants.change(Fixture.demo) { $1.devicesPerPerson = 15 }
        let keys = [SoftwareDeviceSigner(), SoftwareDeviceSigner()]
        let alice = try await fixture.person("alice")
        let fixture = fixture
        for _ in 0..<200 {
            let ticket = try await fixture.activation(alice).ticket
            let requests = [
                try await fixture.registration(ticket, keys[0]), try await fixture.registration(ticket, keys[1]),
            ]
            let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
                for request in requests { group.addTask { await fixture.refusal(request) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == nil }.count == 1)
            #expect(outcomes.contains(.ticketUsed))
            if let begun = fixture.challenge.begun.last {
                _ = try await fixture.call(
                    RemoveDevice.with {
                        $0.tenant = "demo"
                        $0.deviceID = begun.deviceID
                    })
            }
        }
    }

    @Test("unknown, foreign and expired tickets, stale proofs and old systems are refused, each in its own way")
    func refused() async throws {
        let alice = try await fixture.person("alice")
        let key = SoftwareDeviceSigner()
        #expect(await fixture.refusal(try fixture.registration("unknown", key)) == .refused)
        let ticket = try await fixture.activation(alice).ticket
        #expect(await fixture.refusal(try fixture.registration(ticket, key, tenant: Fixture.other)) == .refused)
        let stale = fixture.clock.now - .seconds(61)
        #expect(await fixture.refusal(try fixture.registration(ticket, key, issuedAt: stale)) == .clockSkew)
        var forged = try await fixture.registration(ticket, key)
        forged.audience = "https://evil.example/demo"
        #expect(await fixture.refusal(forged) == .refused)
        do {
            _ = try await fixture.call(fixture.registration(ticket, key, osVersion: "7.1"))
            Issue.record("an old system was let in")
        } catch let error as ServiceError {
            #expect(error.code == .updateRequired)
            #expect(error.members["minimum"] == "8.0")
        }
        fixture.clock.advance(.seconds(600))
        #expect(await fixture.refusal(try fixture.registration(ticket, key)) == .expired)
    }

    @Test("a sixth live ticket and a sixth device are refused, and who has five gets no ticket")
    func limits() async throws {
        let alice = try await fixture.person("alice")
        let oneMore = CreateActivation.with {
            $0.tenant = "demo"
            $0.personID = alice.id
        }
        for _ in 0..<4 { _ = try await fixture.device(alice) }
        let tickets = try await (0..<5).asyncMap { _ in try await fixture.activation(alice).ticket }
        #expect(await fixture.refusal(oneMore) == .tooManyActivations)
        _ = try await fixture.call(try fixture.registration(tickets[0], SoftwareDeviceSigner()))
        #expect(await fixture.refusal(try fixture.registration(tickets[1], SoftwareDeviceSigner())) == .tooManyDevices)
        #expect(await fixture.refusal(oneMore) == .tooManyDevices)
    }

    @Test("a ticket can be read again until it is used")
    func readTicket() async throws {
        let alice = try await fixture.person("alice")
        let activation = try await fixture.activation(alice)
        let read = ReadActivationTicket.with {
            $0.tenant = "demo"
            $0.personID = alice.id
            $0.activationID = activation.id
        }
        #expect(try await fixture.call(read) == activation)
        _ = try await fixture.call(fixture.registration(activation.ticket, SoftwareDeviceSigner()))
        #expect(await fixture.refusal(read) == .ticketUsed)
    }

    @Test("a registration that challenge did not hear of is repeated, and the number comes then")
    func outbox() async throws {
        let alice = try await fixture.person("alice")
        let activation = try await fixture.activation(alice)
        fixture.bus.inject(BeginDeviceChallenge.self) { throw ServiceError(.unavailable) }
        _ = try await fixture.call(fixture.registration(activation.ticket, SoftwareDeviceSigner()))
        #expect(fixture.challenge.begun.isEmpty)
        fixture.bus.inject(BeginDeviceChallenge.self, nil)
        fixture.clock.advance(.seconds(30))
        // Another instance, as after a crash: all it has is the store.
        let restarted = Fixture.service(fixture.store, fixture.bus, fixture.tenants, fixture.sealer, fixture.clock)
        #expect(try await restarted.repeatDueCalls() == 1)
        #expect(try await restarted.repeatDueCalls() == 0)
        #expect(try await fixture.state(activation, of: alice).number == "57")
    }

    @Test("a call that was put off while the clock was a day ahead is made when it has been set back")
    func setBack() async throws {
        let alice = try await fixture.person("alice")
        _ = try await fixture.device(alice)
        fixture.bus.inject(CancelForPerson.self) { throw ServiceError(.unavailable, "away") }
        fixture.clock.advance(.seconds(86_400))
        _ = try await fixture.call(
            SetBlocked.with { ($0.tenant, $0.personID, $0.blocked) = ("demo", alice.id, true) })
        fixture.clock.advance(.seconds(-86_400))
        fixture.bus.inject(CancelForPerson.self, nil)
        #expect(try await fixture.service.repeatDueCalls() == 0)
        try await fixture.service.purge()
        #expect(try await fixture.service.repeatDueCalls() == 1)
        fixture.clock.advance(.seconds(2 * 86_400))
        #expect(try await fixture.service.repeatDueCalls() == 0)
    }

    @Test("whoever takes over a revocation tells of it once more: who made it may have ended before it did")
    func toldAgain() async throws {
        let alice = try await fixture.person("alice")
        _ = try await fixture.device(alice)
        fixture.bus.inject(CancelForPerson.self) { throw ServiceError(.unavailable, "away") }
        _ = try await fixture.call(
            SetBlocked.with { ($0.tenant, $0.personID, $0.blocked) = ("demo", alice.id, true) })
        // Another process over the same store, whose followers heard nothing of the first one's.
        let other = Fixture.service(fixture.store, fixture.bus, fixture.tenants, fixture.sealer, fixture.clock)
        fixture.bus.add(other.routes)
        let start = try await fixture.call(WatchDevices(), from: .verifier)
        fixture.clock.advance(.seconds(60))
        #expect(try await other.repeatDueCalls() == 1)
        let heard = try await fixture.call(
            WatchDevices.with { ($0.knownRevision, $0.epoch) = (start.revision, start.epoch) }, from: .verifier)
        #expect(heard.changed.map(\.personID) == [alice.id] && !heard.resync)
    }

    @Test("who watches devices hears of each change, and of a gap")
    func watch() async throws {
        let alice = try await fixture.person("alice")
        let start = try await fixture.call(WatchDevices(), from: .verifier)
        #expect(start.resync)
        async let parked = fixture.call(
            WatchDevices.with {
                $0.knownRevision = start.revision
                $0.epoch = start.epoch
                $0.waitMs = 30_000
            }, from: .verifier)
        let device = try await fixture.device(alice)
        #expect(try await parked.changed.first?.deviceID == device.id)
        _ = try await fixture.call(
            RemoveDevice.with {
                $0.tenant = "demo"
                $0.deviceID = device.id
            })
        let later = try await fixture.call(
            WatchDevices.with {
                $0.knownRevision = start.revision
                $0.epoch = start.epoch
            }, from: .verifier)
        #expect(later.changed.last?.mayListen == false)
        #expect(fixture.challenge.canceled.map(\.deviceID) == [device.id])
    }
}

extension Sequence {
    func asyncMap<Result>(_ body: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
