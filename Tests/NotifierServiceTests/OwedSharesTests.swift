import Domain
import Storage
import Testing

@testable import NotifierService

@Suite("Shares of phones that are to be rung")
struct OwedSharesTests {
    private static func wakeUp(
        _ tenant: String, _ transport: PushTransport = .apns, by service: String = ""
    ) -> WakeUpRecord {
        let time = Timestamp(seconds: 1_750_000_000)
        return WakeUpRecord(
            tenant: TenantID(tenant), challenge: ChallengeID("c"), device: DeviceID("d"), transport: transport,
            service: service, sealedAddress: [], expiresAt: time, dueAt: time)
    }

    /// How many it gets of so many.
    private static func fill(_ shares: inout OwedShares, _ wakeUp: WakeUpRecord, wants: Int = 200) -> Int {
        var number = 0
        while number < wants, shares.hasRoom(for: wakeUp) {
            shares.add(wakeUp)
            number += 1
        }
        return number
    }

    @Test("a tenant has half of a transport's line, and who comes later half of what is left")
    func halves() {
        var shares = OwedShares(lineMax: 100)
        #expect(Self.fill(&shares, Self.wakeUp("acme")) == 50)
        #expect(Self.fill(&shares, Self.wakeUp("other")) == 25)
        #expect(Self.fill(&shares, Self.wakeUp("third")) == 13)
        #expect(shares.number == 88)
    }

    @Test("a line that is full takes nothing from another transport's")
    func lines() {
        var shares = OwedShares(lineMax: 4)
        #expect(Self.fill(&shares, Self.wakeUp("acme")) == 2)
        #expect(Self.fill(&shares, Self.wakeUp("acme", .fcm)) == 2)
        #expect(Self.fill(&shares, Self.wakeUp("acme", .webpush)) == 2)
    }

    @Test("a push service has two thirds of what its tenant may have, and the tenant's phones at others find room")
    func services() {
        var shares = OwedShares(lineMax: 90)
        #expect(Self.fill(&shares, Self.wakeUp("acme", .webpush, by: "dead")) == 30)
        #expect(Self.fill(&shares, Self.wakeUp("acme", .webpush, by: "well")) == 10)
        #expect(Self.fill(&shares, Self.wakeUp("other", .webpush, by: "well")) == 17)
        #expect(Self.fill(&shares, Self.wakeUp("other", .webpush, by: "dead")) == 6)
    }

    @Test("what was counted of a push service is taken from its share")
    func countedService() {
        let acme = TenantID("acme")
        var shares = OwedShares(
            lineMax: 90,
            [
                WakeUpCount(tenant: acme, transport: .webpush, service: "dead", number: 30),
                WakeUpCount(tenant: acme, transport: .webpush, service: "well", number: 9),
            ])
        #expect(Self.fill(&shares, Self.wakeUp("acme", .webpush, by: "dead")) == 0)
        #expect(Self.fill(&shares, Self.wakeUp("acme", .webpush, by: "well")) == 1)
    }

    @Test("what was counted is taken")
    func counted() {
        let acme = TenantID("acme")
        var shares = OwedShares(
            lineMax: 10,
            [
                WakeUpCount(tenant: acme, transport: .apns, number: 4),
                WakeUpCount(tenant: acme, transport: .fcm, number: 7),
            ])
        #expect(shares.number == 11)
        #expect(Self.fill(&shares, Self.wakeUp("acme")) == 1)
        #expect(Self.fill(&shares, Self.wakeUp("acme", .fcm)) == 0)
        #expect(Self.fill(&shares, Self.wakeUp("other", .fcm)) == 2)
    }
}
