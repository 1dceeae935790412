import Domain
import Foundation
import PushDouble
import ServiceKit
import Storage
import StorageSQLite
import Synchronization
import Telemetry
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

    @Test("what is told of an end is counted by itself, by transport and outcome, apart from what rings")
    func counted() async throws {
        let driver = ScriptedDriver(.fcm, [.delivered, .delivered, .delivered, .tooLarge])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2"], transport: "fcm")
            _ = try await outcomes(bench, 2)
            try await bench.notify(["d1", "d2"], event: "settled")
            _ = try await outcomes(bench, 4)
        }
        let exposition = bench.metrics.exposition()
        for (outcome, purpose, count) in [
            ("delivered", "ring", 2), ("delivered", "withdraw", 1), ("too_large", "withdraw", 1),
        ] {
            let labels = "transport=\"fcm\",outcome=\"\(outcome)\",purpose=\"\(purpose)\""
            #expect(exposition.contains("countersign_push_attempts_total{\(labels)} \(count)\n"))
        }
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

    @Test("a withdrawal that was not sent before its request expired is written down and counted when it is deleted")
    func unsent() async throws {
        let bench = try NotifierBench(drivers: [ScriptedDriver(.fcm)])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2"], transport: "fcm")
            _ = try await outcomes(bench, 2)
        }
        try await bench.notify(["d1", "d2"], event: "settled", answeredBy: "d2")
        bench.advance(.seconds(61))
        for _ in 0..<2 { try await bench.service.purge() }
        let found = try await outcomes(bench, 3)
        #expect(found == ["delivered", "delivered", "expired"])
        let counted = "{transport=\"fcm\",outcome=\"expired\",purpose=\"withdraw\"} 1\n"
        #expect(bench.metrics.exposition().contains(counted))
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

    @Test("a phone that is being rung at the very moment of the end is told as soon as it has been rung")
    func underWay() async throws {
        let driver = HeldDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await driver.isAsked()
            try await bench.notify(["d1"], event: "settled")
            #expect(driver.sent.count == 1)
            driver.answer()
            _ = try await outcomes(bench, 2)
        }
        #expect(driver.sent.map(\.isWithdrawal) == [false, true])
    }

    @Test(
        "whom the last attempt may have rung is told of the end, too", arguments: [PushOutcome.timeout, .unreachable])
    func lastAttempt(outcome: PushOutcome) async throws {
        let driver = ScriptedDriver(.fcm, [.timeout, .timeout, outcome])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await bench.pass(.seconds(1))
            await bench.pass(.seconds(2))
            _ = try await outcomes(bench, 3)
            try await bench.notify(["d1"], event: "settled")
            _ = try await outcomes(bench, 4)
        }
        #expect(driver.sent.map(\.isWithdrawal) == [false, false, false, true])
    }

    @Test("one whose third attempt was lost with its process is told of the end")
    func lost() async throws {
        let bench = try NotifierBench(drivers: [ScriptedDriver(.fcm)])
        try await bench.notify(["d1"], transport: "fcm")
        for _ in 0..<3 {
            let (time, until) = (bench.now, bench.now + .seconds(10))
            _ = try await bench.store.write { try $0.leaseWakeUps(.fcm, at: time, until: until, limit: 9) }
            bench.advance(.seconds(10))
        }
        let driver = ScriptedDriver(.fcm)
        try await running(bench.successor([driver])) {
            while try await bench.store.read({ try $0.countWakeUps() }) > 0 { await Task.yield() }
            try await bench.notify(["d1"], event: "settled")
            let found = try await outcomes(bench, 2)
            #expect(found == ["interrupted", "delivered"])
        }
        #expect(driver.sent.map(\.isWithdrawal) == [true])
    }

    @Test("the word of a request that comes after the word of its end rings nobody")
    func overtaken() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2"], event: "settled")
            try await bench.notify(["d1", "d2"], transport: "fcm")
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 1)
        }
        #expect(driver.sent.map(\.challenge.rawValue) == ["c2"])
        #expect(try await bench.deliveries("c1").isEmpty)
    }

    @Test("a request that lives for a day is taken back at its end, however often the notifier has cleared up")
    func longLived() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm", lifetime: .seconds(86_000))
            _ = try await outcomes(bench, 1)
            try await bench.service.purge()
            try await bench.notify(["d1"], event: "settled")
            _ = try await outcomes(bench, 2)
        }
        #expect(driver.sent.map(\.isWithdrawal) == [false, true])
    }

    @Test("what is to be taken back leaves the room for what is to ring")
    func room() async throws {
        let bench = try NotifierBench(drivers: [ScriptedDriver(.fcm)]) { $0.queuedWakeUpsMax = 4 }
        // Nothing is sent: the service does not run.
        try await bench.notify(["d1", "d2", "d3"], transport: "fcm")
        #expect(try await bench.deliveries("c1").map(\.outcome) == ["overloaded"])
        try await bench.store.write { records in
            for wakeUp in try records.leaseWakeUps(.fcm, at: bench.now, until: bench.now + .seconds(30), limit: 9) {
                try records.keep(wakeUp, at: bench.now)
            }
        }
        try await bench.notify([], event: "settled")
        bench.advance(.milliseconds(100))
        try await bench.notify(["d1", "d2"], challenge: "c2", transport: "fcm")
        #expect(try await bench.deliveries("c2").isEmpty)
        let due = try await bench.store.write {
            try $0.leaseWakeUps(.fcm, at: bench.now, until: bench.now + .seconds(30), limit: 9)
        }
        #expect(due.map(\.stage) == [.ring, .ring, .withdraw, .withdraw])
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

/// A provider whose first answer comes when the test says so.
private final class HeldDriver: PushDriver {
    let transport: PushTransport
    private struct State {
        var sent: [WakeUp] = []
        var isHeld = true
    }
    private let state = Mutex(State())
    private let changes = ChangeSignal()

    init(_ transport: PushTransport) { self.transport = transport }

    var sent: [WakeUp] { state.withLock(\.sent) }

    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        state.withLock { $0.sent.append(wakeUp) }
        changes.advance()
        await until { !$0.isHeld }
        return PushReport(.delivered)
    }

    func isAsked() async { await until { !$0.sent.isEmpty } }

    private func until(_ condition: (State) -> Bool) async {
        while true {
            let seen = changes.count
            if state.withLock({ condition($0) }) { return }
            await changes.wait(past: seen)
        }
    }

    func answer() {
        state.withLock { $0.isHeld = false }
        changes.advance()
    }
}
