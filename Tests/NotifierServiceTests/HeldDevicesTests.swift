import Domain
import Testing

@testable import NotifierService

@Suite("Devices that are held back")
struct HeldDevicesTests {
    private static let start = Timestamp(seconds: 1_750_000_000)

    private static func aim(_ device: String, _ transport: PushTransport = .fcm) -> PushAim {
        PushAim(
            wakeUp: WakeUp(
                tenant: TenantID("demo"), challenge: ChallengeID("c"), device: DeviceID(device),
                expiresAt: start + .seconds(60)),
            transport: transport, address: Redacted([]))
    }

    @Test("one is held back for as long as was asked, and nobody else is")
    func held() {
        let devices = HeldDevices(devicesMax: 9)
        devices.hold(Self.aim("d1"), for: .seconds(5), at: Self.start)
        #expect(devices.pause(of: Self.aim("d1"), at: Self.start + .seconds(2)) == .seconds(3))
        #expect(devices.pause(of: Self.aim("d1"), at: Self.start + .seconds(5)) == nil)
        #expect(devices.pause(of: Self.aim("d2"), at: Self.start) == nil)
        #expect(devices.pause(of: Self.aim("d1", .apns), at: Self.start) == nil)
    }

    @Test("a clock that was ahead holds nobody back")
    func setBack() {
        let devices = HeldDevices(devicesMax: 9)
        devices.hold(Self.aim("d1"), for: .seconds(5), at: Self.start + .seconds(86_400))
        #expect(devices.pause(of: Self.aim("d1"), at: Self.start) == nil)
    }

    @Test("no more are held back than there is room for, and those whose time is over make room")
    func bounded() {
        let devices = HeldDevices(devicesMax: 2)
        for (number, device) in ["d1", "d2", "d3"].enumerated() {
            devices.hold(Self.aim(device), for: .seconds(5 + number), at: Self.start)
        }
        #expect(devices.pause(of: Self.aim("d2"), at: Self.start) == .seconds(6))
        #expect(devices.pause(of: Self.aim("d3"), at: Self.start) == nil)
        let later = Self.start + .seconds(5)
        devices.hold(Self.aim("d3"), for: .seconds(5), at: later)
        #expect(devices.pause(of: Self.aim("d2"), at: later) == .seconds(1))
        #expect(devices.pause(of: Self.aim("d3"), at: later) == .seconds(5))
    }
}
