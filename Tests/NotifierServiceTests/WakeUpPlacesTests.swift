import Domain
import NotifierService
import Storage
import StorageSQLite
import Telemetry
import TestSupport
import Testing

@Suite("Places of a request", .timeLimit(.minutes(1)))
struct WakeUpPlacesTests {
    private static func rung(_ driver: ScriptedDriver, of challenge: String = "c1") -> [String] {
        driver.sent.filter { $0.challenge == ChallengeID(challenge) && !$0.isWithdrawal }.map(\.device.rawValue)
    }

    @Test("three phones that are refused leave the place to the fourth, which is rung")
    func refused() async throws {
        let driver = ScriptedDriver(.fcm, [.foreignAddress, .expiredAddress, .reregisteredAddress])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2", "d3", "d4"], transport: "fcm")
            let found = try await outcomes(bench, 4)
            #expect(found.sorted() == ["delivered", "expired_address", "expired_address", "foreign_address"])
        }
        #expect(Self.rung(driver).last == "d4")
        #expect(Self.rung(driver).sorted() == ["d1", "d2", "d3", "d4"])
    }

    @Test("one is rung in the place of one that is refused, and no more, however often the event comes")
    func one() async throws {
        let driver = ScriptedDriver(.fcm, [.foreignAddress])
        let bench = try NotifierBench(drivers: [driver])
        let all = ["d1", "d2", "d3", "d4", "d5", "d6"]
        try await running(bench.service) {
            for _ in 0..<2 {
                try await bench.notify(all, transport: "fcm")
                _ = try await outcomes(bench, 4)
            }
            // What was due before it has been sent by then.
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 5)
        }
        #expect(Self.rung(driver).sorted() == ["d1", "d2", "d3", "d4"])
    }

    @Test("a phone of another transport is rung in the place of one that is refused")
    func otherTransport() async throws {
        let refusing = ScriptedDriver(.apns, [PushOutcome](repeating: .configuration, count: 3))
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [refusing, driver])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2", "d3", "d4"], transports: ["apns", "apns", "apns", "fcm"])
            _ = try await outcomes(bench, 4)
        }
        #expect(Self.rung(driver) == ["d4"])
    }

    @Test("phones that no provider is set up for take no place from those that can be rung, and each is written down")
    func withoutProvider() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2", "d3", "d4"], transports: ["apns", "apns", "apns", "fcm"])
            let found = try await outcomes(bench, 4)
            #expect(found.sorted() == ["delivered", "no_driver", "no_driver", "no_driver"])
        }
        #expect(Self.rung(driver) == ["d4"])
    }

    @Test("phones without a provider have left all places when the event comes again with one that can be rung")
    func withoutProviderAtFirst() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            for _ in 0..<2 { try await bench.notify(["d1", "d2", "d3"], transport: "apns") }
            try await bench.notify(["d1", "d2", "d3", "d4"], transports: ["apns", "apns", "apns", "fcm"])
            let found = try await outcomes(bench, 4)
            #expect(found == ["no_driver", "no_driver", "no_driver", "delivered"])
        }
        #expect(Self.rung(driver) == ["d4"])
        let counted = "{transport=\"apns\",outcome=\"no_driver\",purpose=\"ring\"} 3\n"
        #expect(bench.metrics.exposition().contains(counted))
    }

    @Test(
        "phones that may have been rung keep their places",
        arguments: [PushOutcome.retry(after: .seconds(90)), .delivered])
    func kept(outcome: PushOutcome) async throws {
        let driver = ScriptedDriver(.fcm, [PushOutcome](repeating: outcome, count: 3))
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2", "d3", "d4"], transport: "fcm")
            _ = try await outcomes(bench, 3)
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 4)
        }
        #expect(Self.rung(driver).sorted() == ["d1", "d2", "d3"])
    }

    @Test("one that is refused after it may have been rung keeps its place")
    func mayHaveRung() async throws {
        let driver = ScriptedDriver(.fcm, [.timeout, .configuration])
        let bench = try NotifierBench(drivers: [driver])
        bench.tenants.change(TenantID("demo")) { $1.notificationsPerRequest = 1 }
        try await running(bench.service) {
            try await bench.notify(["d1", "d2"], transport: "fcm")
            await bench.pass(.seconds(1))
            _ = try await outcomes(bench, 2)
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 3)
        }
        #expect(Self.rung(driver) == ["d1", "d1"])
    }

    @Test("nobody is rung in another's place when the request has ended")
    func settled() async throws {
        let driver = ScriptedDriver(.fcm, [.retry(after: .seconds(5)), .foreignAddress])
        let bench = try NotifierBench(drivers: [driver])
        bench.tenants.change(TenantID("demo")) { $1.notificationsPerRequest = 1 }
        try await running(bench.service) {
            try await bench.notify(["d1", "d2"], transport: "fcm")
            await bench.waits.reached(.seconds(5))
            try await bench.notify(["d1", "d2"], event: "settled")
            await bench.pass(.seconds(5))
            _ = try await outcomes(bench, 2)
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 3)
        }
        #expect(Self.rung(driver) == ["d1"])
    }

    @Test("a place that was passed on before a process ended is the next one's to use")
    func killed() async throws {
        let bench = try NotifierBench(drivers: [ScriptedDriver(.fcm)])
        bench.tenants.change(TenantID("demo")) { $1.notificationsPerRequest = 1 }
        try await bench.notify(["d1", "d2"], transport: "fcm")
        let (time, until) = (bench.now, bench.now + .seconds(30))
        try await bench.store.write { records in
            for wakeUp in try records.leaseWakeUps(.fcm, at: time, until: until, limit: 9) {
                _ = try records.passPlace(of: wakeUp, at: time)
            }
        }
        let driver = ScriptedDriver(.fcm)
        try await running(bench.successor([driver])) { _ = try await outcomes(bench, 1) }
        #expect(Self.rung(driver) == ["d2"])
    }
}
