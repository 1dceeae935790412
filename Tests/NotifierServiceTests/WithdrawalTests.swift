import Domain
import Foundation
import PushDouble
import Storage
import StorageSQLite
import TestSupport
import Testing
import Wire

@testable import NotifierService

@Suite("Requests that ended after a phone was rung", .timeLimit(.minutes(1)))
struct WithdrawalTests {
    @Test("the phones that were rung are told once each, but for the one that answered and those that were not rung")
    func told() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        _ = try await bench.subscribe("g1", ["live"])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2", "d3", "d4", "live"], transport: "fcm")
            _ = try await outcomes(bench, 3)
            for _ in 0..<3 {
                try await bench.notify(["d1", "d2", "d3", "d4", "live"], event: "settled", answeredBy: "d1")
            }
            #expect(try await outcomes(bench, 5).count == 5)
            // What was due before another request's wake-up has been sent by then.
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            #expect(try await outcomes(bench, 6).count == 6)
        }
        let rung = driver.sent.filter { !$0.isWithdrawal && $0.challenge == ChallengeID("c1") }
        let told = driver.sent.filter(\.isWithdrawal)
        #expect(rung.map(\.device.rawValue).sorted() == ["d1", "d2", "d3"])
        #expect(told.map(\.device.rawValue).sorted() == ["d2", "d3"])
        // It takes the place of what it takes back.
        #expect(Set((rung + told).map(\.challenge)) == [ChallengeID("c1")])
    }

    @Test("nothing is told of a request that has expired, and what was kept for it is deleted")
    func expired() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 2)
            bench.advance(.seconds(61))
            try await bench.notify(["d1"], event: "settled")
            try await bench.service.purge()
            try await bench.notify(["d2"], challenge: "c3", transport: "fcm")
            _ = try await outcomes(bench, 3)
        }
        let withdrawals = driver.sent.filter(\.isWithdrawal)
        #expect(withdrawals.isEmpty)
        let held = try await bench.store.read { records in
            try ["c1", "c2"].map { try records.holdsWakeUps(of: ChallengeID($0), tenant: TenantID("demo")) }
        }
        #expect(held == [false, false])
    }

    @Test("a withdrawal that its provider does not take now is tried again, by the next process too")
    func repeated() async throws {
        let driver = ScriptedDriver(.fcm, [.delivered, .retry(after: .seconds(5))])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            _ = try await outcomes(bench, 1)
            try await bench.notify(["d1"], event: "settled")
            _ = try await outcomes(bench, 2)
        }
        bench.advance(.seconds(5))
        let next = ScriptedDriver(.fcm)
        try await running(bench.successor([next])) {
            let found = try await outcomes(bench, 3)
            #expect(found == ["delivered", "retry", "delivered"])
        }
        let sent = next.sent.map(\.isWithdrawal)
        #expect(sent == [true])
    }

    @Test("what providers get to see of it is quiet, takes the first one's place, and has the opaque id alone")
    func quiet() async throws {
        let apns = try await APNsBench()
        let wakeUp = apns.bench.wakeUp()
        let withdrawal = WakeUp(
            tenant: wakeUp.tenant, challenge: wakeUp.challenge, device: wakeUp.device, expiresAt: wakeUp.expiresAt,
            isWithdrawal: true)
        for sent in [wakeUp, withdrawal] {
            #expect(await apns.driver.send(sent, to: APNsBench.address).outcome == .delivered)
        }
        let (first, second) = (apns.server.requests[0], apns.server.requests[1])
        #expect(second.header("apns-push-type") == "background" && second.header("apns-priority") == "5")
        #expect(first.header("apns-collapse-id") == second.header("apns-collapse-id"))
        #expect(first.header("apns-id") != second.header("apns-id"))
        let payload = try #require(try JSONSerialization.jsonObject(with: Data(second.body)) as? [String: Any])
        let expected: [String: Any] = ["aps": ["content-available": 1], "c": wakeUp.challenge.rawValue]
        #expect(payload as NSDictionary == expected as NSDictionary)
        await apns.stop()

        let fcm = try await FCMBench()
        #expect(await fcm.driver.send(withdrawal, to: FCMBench.address).outcome == .delivered)
        let message = String(decoding: try #require(fcm.server.requests.last).body, as: UTF8.self)
        #expect(message.contains(#""priority":"NORMAL""#))
        await fcm.stop()

        let push = try await WebPushBench()
        let address = push.double.subscribe().address(at: push.origin)
        #expect(await push.driver.send(withdrawal, to: Redacted(Array(address.utf8))).outcome == .delivered)
        let request = try #require(push.server.requests.last)
        #expect(request.header("urgency") == "normal" && request.header("topic") == first.header("apns-collapse-id"))
        await push.stop()
    }
}
