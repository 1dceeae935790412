import Domain
import Testing

@Suite("Uses of devices on their way to registration")
struct DeviceUseLedgerTests {
    @Test("uses of a second are one message, the oldest first; only the first one wakes who sends it")
    func gathered() {
        let desk = Desk()
        #expect(desk.ledger.nextDue == nil)
        #expect(desk.note("a", 0))
        #expect(!desk.note("b", 0))
        #expect(!desk.note("a", 0, tenant: "other"))
        #expect(desk.ledger.nextDue == Desk.time(1))
        #expect(desk.due(0).isEmpty)
        let uses = [Desk.use("a", 0), Desk.use("b", 0), Desk.use("a", 0, tenant: "other")]
        #expect(desk.due(1) == uses)
        #expect(desk.ledger.nextDue == nil)
        #expect(desk.due(2).isEmpty)
    }

    @Test("a device is told of once in a quarter of an hour, however often it is used")
    func interval() {
        let desk = Desk()
        var told: [DeviceUse] = []
        for second in stride(from: Int64(0), to: 3_600, by: 5) {
            _ = desk.note("a", second)
            told += desk.due(second + 1)
        }
        #expect(told == [0, 900, 1_800, 2_700].map { Desk.use("a", $0) })
    }

    @Test("a message has so many uses at most, and the rest follows after a second")
    func batches() {
        let desk = Desk(DeviceUseLedger(batchMax: 2))
        for device in ["a", "b", "c"] { _ = desk.note(device, 0) }
        #expect(desk.due(1).map(\.device.rawValue) == ["a", "b"])
        #expect(desk.ledger.nextDue == Desk.time(2))
        #expect(desk.due(2).map(\.device.rawValue) == ["c"])
    }

    @Test("a message that did not arrive is sent again after a pause, with what came meanwhile")
    func putBack() {
        let desk = Desk()
        _ = desk.note("a", 0)
        let taken = desk.due(1)
        _ = desk.note("b", 2)
        desk.ledger.putBack(taken, at: Desk.time(3))
        #expect(!desk.note("a", 20))
        #expect(desk.due(32).isEmpty)
        #expect(desk.due(33).map(\.device.rawValue) == ["a", "b"])
    }

    @Test("what finds no room is left out, and told with the device's next use")
    func full() {
        let desk = Desk(DeviceUseLedger(waitingMax: 2))
        for device in ["a", "b", "c"] { _ = desk.note(device, 0) }
        #expect(desk.due(1).map(\.device.rawValue) == ["a", "b"])
        #expect(desk.note("c", 2))
        #expect(desk.due(3) == [Desk.use("c", 2)])
    }

    @Test("of more devices than are remembered the latest are: nobody keeps a list of all")
    func memory() {
        let desk = Desk(DeviceUseLedger(rememberedMax: 4))
        for device in ["a", "b", "c"] { _ = desk.note(device, 0) }
        _ = desk.due(1)
        for device in ["c", "b"] { #expect(!desk.note(device, 2)) }
        for device in ["d", "e"] { _ = desk.note(device, 3) }
        _ = desk.due(4)
        #expect(desk.note("a", 5), "forgotten, and told once more: registration knows it already")
    }

    @Test("a clock that was ahead and is set back holds nothing up")
    func setBack() {
        let desk = Desk()
        _ = desk.note("a", 86_400)
        #expect(desk.due(0).count == 1)
        #expect(desk.note("a", 0))
    }
}

private final class Desk {
    var ledger: DeviceUseLedger

    init(_ ledger: DeviceUseLedger = DeviceUseLedger()) { self.ledger = ledger }

    static func time(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 100_000 + seconds) }

    static func use(_ device: String, _ seconds: Int64, tenant: String = "demo") -> DeviceUse {
        DeviceUse(tenant: TenantID(tenant), device: DeviceID(device), at: time(seconds))
    }

    func note(_ device: String, _ seconds: Int64, tenant: String = "demo") -> Bool {
        ledger.note(Self.use(device, seconds, tenant: tenant))
    }

    func due(_ seconds: Int64) -> [DeviceUse] { ledger.takeDue(at: Self.time(seconds)) }
}
