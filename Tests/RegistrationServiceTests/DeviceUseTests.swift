import Domain
import Foundation
import RegistrationService
import Storage
import StorageSQLite
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("When devices were last used")
struct DeviceUseTests {
    let fixture: Fixture
    init() throws { fixture = try Fixture() }

    private func tell(_ uses: (device: DeviceRecord, at: Timestamp)..., tenant: String = "demo") async throws {
        _ = try await fixture.call(
            NoteDeviceUse.with { message in
                message.uses = uses.map { use in
                    UsedDevice.with {
                        ($0.tenant, $0.deviceID, $0.atMs) = (tenant, use.device.id, use.at.milliseconds)
                    }
                }
            }, from: .challenge)
    }

    private func lastUsed(_ device: DeviceRecord) async throws -> Timestamp {
        Timestamp(milliseconds: try await fixture.read(device).device.lastUsedAtMs)
    }

    @Test(
        "a sign-in moves it, another in the same quarter of an hour does not, and an earlier one never moves it back")
    func moves() async throws {
        let device = try await fixture.device(try await fixture.person("alice"))
        let other = try await fixture.device(try await fixture.person("bob"))
        let start = fixture.clock.now
        fixture.clock.advance(.seconds(3600))
        var seen: [Timestamp] = []
        for after in [899, 900, 0] {
            try await tell((device, start + .seconds(after)), (other, start + .seconds(10)))
            seen.append(try await lastUsed(device))
        }
        #expect(seen == [start, start + .seconds(900), start + .seconds(900)])
        let others = try await lastUsed(other)
        #expect(others == start)
        let listed = try await fixture.call(
            ReadOwnMethods.with { ($0.tenant, $0.personID) = ("demo", device.personID) })
        #expect(listed.devices.map(\.lastUsedAtMs) == [(start + .seconds(900)).milliseconds])
    }

    @Test("what is known well enough is not written: a busy time costs reads alone")
    func writes() async throws {
        let device = try await fixture.device(try await fixture.person("alice"))
        let store = FailingStore<any RegistrationRecords>(fixture.store)
        fixture.bus.add(Fixture.service(store, fixture.bus, fixture.tenants, fixture.sealer, fixture.clock).routes)
        store.fail(.beforeBody)
        fixture.clock.advance(.seconds(600))
        try await tell((device, fixture.clock.now))
        fixture.clock.advance(.seconds(600))
        await #expect(throws: ServiceError.self) { try await tell((device, fixture.clock.now)) }
        store.mend()
        try await tell((device, fixture.clock.now))
        store.fail(.beforeBody)
        try await tell((device, fixture.clock.now))
    }

    @Test("a use from the future is one of now, and one of nobody's device, or in another tenant, is passed over")
    func strange() async throws {
        let device = try await fixture.device(try await fixture.person("alice"))
        fixture.clock.advance(.seconds(3600))
        let now = fixture.clock.now
        var nobodys = device
        nobodys.id = "nobody's"
        try await tell((nobodys, now))
        try await tell((device, now), tenant: "other")
        let before = try await lastUsed(device)
        try await tell((device, Timestamp(milliseconds: .min)))
        try await tell((device, Timestamp(milliseconds: .max)))
        let after = try await lastUsed(device)
        #expect(before == now - .seconds(3600) && after == now)
    }

    @Test("only challenge may tell it, and not too much at once")
    func refused() async throws {
        for caller in ServiceName.allCases where caller != .challenge {
            #expect(await fixture.refusal(NoteDeviceUse(), from: caller) == .refused)
        }
        let flood = NoteDeviceUse.with { $0.uses = Array(repeating: UsedDevice(), count: 1_001) }
        #expect(await fixture.refusal(flood, from: .challenge) == .malformed)
    }
}
