import Domain
import Foundation
import NotifierService
import ServiceKit
import Storage
import StorageSQLite
import Synchronization
import TestSupport
import Testing
import Wire

/// A provider that answers what a test sets.
final class ScriptedDriver: PushDriver {
    let transport: PushTransport
    private let state: Mutex<(outcomes: [PushOutcome], sent: [WakeUp], reads: Int)>

    init(_ transport: PushTransport, _ outcomes: [PushOutcome] = []) {
        self.transport = transport
        state = Mutex((outcomes, [], 0))
    }

    var sent: [WakeUp] { state.withLock(\.sent) }
    /// How often it was asked to read an address.
    var reads: Int { state.withLock(\.reads) }

    func route(to address: Redacted<[UInt8]>, of tenant: TenantID) -> PushRoute {
        state.withLock { $0.reads += 1 }
        return PushRoute { await self.send($0, to: address) }
    }

    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        state.withLock { state in
            state.sent.append(wakeUp)
            return PushReport(state.outcomes.isEmpty ? .delivered : state.outcomes.removeFirst())
        }
    }
}

/// Runs the service until `body` returns.
func running(_ service: NotifierService, _ body: () async throws -> Void) async throws {
    let running = Task { try await service.run() }
    defer { running.cancel() }
    try await body()
    running.cancel()
    _ = await running.result
}

/// The outcomes of all attempts, once there are so many.
func outcomes(_ bench: NotifierBench, _ count: Int) async throws -> [String] {
    while true {
        let outcomes = try await bench.deliveries().map(\.outcome)
        if outcomes.count >= count { return outcomes.reversed() }
        await Task.yield()
    }
}

@Suite("Wake-ups through push providers", .timeLimit(.minutes(1)))
struct WakeUpTests {
    @Test("a phone that nobody holds is rung once, however often the event comes")
    func once() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            for _ in 0..<3 { try await bench.notify(["d1"], transport: "fcm") }
            #expect(try await outcomes(bench, 1) == ["delivered"])
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d1")])
        #expect(driver.reads == 1)
        #expect(try await bench.deliveries().first?.transport == "fcm")
    }

    @Test("a phone whose stream a gateway holds is not rung")
    func live() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        _ = try await bench.subscribe("g1", ["d1"])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            try await bench.notify(["d2"], transport: "fcm")
            _ = try await outcomes(bench, 1)
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d2")])
    }

    @Test("a transport without a driver is recorded, an absent address is not")
    func noDriver() async throws {
        let bench = try NotifierBench()
        try await bench.notify(["d1"], transport: "apns")
        try await bench.notify(["d2"], transport: "none")
        let deliveries = try await bench.deliveries("c1")
        #expect(deliveries.map(\.outcome) == ["no_driver"])
        #expect(deliveries.map(\.deviceID) == ["d1"])
    }

    @Test("a request rings as many phones as the tenant allows")
    func limit() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2", "d3", "d4", "d5"], transport: "fcm")
            try await bench.notify(["d6"], transport: "fcm")
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 4)
        }
        #expect(driver.sent.filter { $0.challenge == ChallengeID("c1") }.count == 3)
    }

    @Test("a busy provider is asked again, while the request lives")
    func retry() async throws {
        let driver = ScriptedDriver(.fcm, [.retry(after: .seconds(5)), .delivered])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await bench.pass(.seconds(5))
            #expect(try await outcomes(bench, 2) == ["retry", "delivered"])
        }
    }

    @Test("a provider that is not reached, or does not answer, is asked again, later each time, three times in all")
    func away() async throws {
        let driver = ScriptedDriver(.apns, [.unreachable, .timeout, .unreachable])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "apns")
            await bench.pass(.seconds(1))
            await bench.pass(.seconds(2))
            #expect(try await outcomes(bench, 3) == ["unreachable", "timeout", "unreachable"])
        }
        #expect(driver.sent.count == 3)
    }

    @Test("a provider that must not be asked yet costs no attempt, and is recorded only when it is too late")
    func paused() async throws {
        let pauses = [PushOutcome](repeating: .paused(after: .seconds(5)), count: 4)
        let driver = ScriptedDriver(.apns, pauses + [.delivered, .paused(after: .seconds(60))])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "apns")
            for _ in pauses { await bench.pass(.seconds(5)) }
            #expect(try await outcomes(bench, 1) == ["delivered"])
            try await bench.notify(["d1"], challenge: "c2", transport: "apns")
            #expect(try await outcomes(bench, 2) == ["delivered", "paused"])
        }
    }

    @Test("a phone whose provider wants it left alone is not rung for its next request either, and no other waits")
    func throttled() async throws {
        let driver = ScriptedDriver(.fcm, [.throttled(after: .seconds(20))])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            _ = try await outcomes(bench, 1)
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm", lifetime: .seconds(10))
            _ = try await outcomes(bench, 2)
            try await bench.notify(["d2"], challenge: "c3", transport: "fcm")
            let found = try await outcomes(bench, 3)
            #expect(found == ["throttled", "paused", "delivered"])
        }
        #expect(driver.sent.map(\.challenge.rawValue) == ["c1", "c3"])
    }

    @Test("a wake-up that waits for its next attempt holds up no other")
    func places() async throws {
        let driver = ScriptedDriver(.apns, [.retry(after: .seconds(5))])
        let bench = try NotifierBench(drivers: [driver]) { $0.sendersMax = 1 }
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "apns")
            #expect(try await outcomes(bench, 1) == ["retry"])
            try await bench.notify(["d2"], transport: "apns")
            #expect(try await outcomes(bench, 2) == ["retry", "delivered"])
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d1"), DeviceID("d2")])
    }

    @Test("a party that answers nothing has its share of the places, and keeps nobody else's phone waiting")
    func slowParty() async throws {
        let driver = SilentParty()
        let bench = try NotifierBench(drivers: [driver]) { $0.sendersMax = 4 }
        try await running(bench.service) {
            for number in 0..<4 {
                try await bench.notify(["d1"], challenge: "c\(number)", transport: "webpush", address: "silent")
            }
            await driver.heard(2)
            try await bench.notify(["d2"], challenge: "quick", transport: "webpush", address: "other")
            await bench.pass(.seconds(1))
            #expect(try await outcomes(bench, 1) == ["delivered"])
            #expect(driver.sent.map(\.rawValue) == ["c0", "c1", "quick"])
            driver.answer()
            _ = try await outcomes(bench, 3)
            await bench.pass(.seconds(1))
            #expect(try await outcomes(bench, 5).allSatisfy { $0 == "delivered" })
        }
        let owed = try await bench.store.read { try $0.countWakeUps() }
        #expect(owed == 0)
    }

    @Test("a provider that is away fills its own line, and another transport's phones are rung")
    func lines() async throws {
        let away = ScriptedDriver(.apns, [PushOutcome](repeating: .retry(after: .seconds(50)), count: 9))
        let bench = try NotifierBench(drivers: [away, ScriptedDriver(.fcm)]) { $0.queuedWakeUpsMax = 4 }
        for number in 0..<4 { try await bench.notify(["d1"], challenge: "away\(number)", transport: "apns") }
        let refused = try await bench.deliveries().map(\.outcome)
        #expect(refused == ["overloaded", "overloaded"])
        try await running(bench.service) {
            try await bench.notify(["d2"], challenge: "well", transport: "fcm")
            _ = try await outcomes(bench, 5)
        }
        let rung = try await bench.deliveries("well").map(\.outcome)
        #expect(rung == ["delivered"])
    }

    @Test("a push service that is away fills its own share, and its tenant's phones at another one are rung")
    func services() async throws {
        func address(_ host: String) -> String { #"{"endpoint":"https://\#(host)/1","p256dh":"AA","auth":"AA"}"# }
        let bench = try NotifierBench(drivers: [ScriptedDriver(.webpush)]) { $0.queuedWakeUpsMax = 9 }
        for number in 0..<5 {
            try await bench.notify(
                ["d1"], challenge: "away\(number)", transport: "webpush", address: address("away.example"))
        }
        // From here on they are counted in the store.
        bench.advance(.milliseconds(100))
        try await bench.notify(["d2"], challenge: "well", transport: "webpush", address: address("well.example"))
        let refused = try await bench.deliveries().map { "\($0.challengeID) \($0.outcome)" }
        #expect(refused == ["away4 overloaded", "away3 overloaded"])
        #expect(try bench.storedBytes().range(of: Data("away.example".utf8)) == nil)
        let owed = try await bench.store.read { try $0.holdsWakeUps(of: ChallengeID("well"), tenant: TenantID("demo")) }
        #expect(owed)
    }

    @Test("nothing is sent after the request's end")
    func expired() async throws {
        let driver = ScriptedDriver(.fcm, [.retry(after: .seconds(61)), .retry(after: .seconds(20))])
        let bench = try NotifierBench(drivers: [driver])
        try await bench.notify(["d0"], transport: "fcm", lifetime: .zero)
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            #expect(try await outcomes(bench, 1) == ["retry"])
            try await bench.notify(["d1"], challenge: "c2", transport: "fcm")
            await bench.pass(.seconds(20), more: .seconds(40))
            try await bench.notify(["d1"], challenge: "c3", transport: "fcm")
            #expect(try await outcomes(bench, 3) == ["retry", "retry", "delivered"])
        }
        #expect(driver.sent.map(\.challenge.rawValue) == ["c1", "c2", "c3"])
    }

    @Test("a request that is settled rings no more; whom it may have rung is told")
    func settled() async throws {
        let driver = ScriptedDriver(.fcm, [.retry(after: .seconds(5))])
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await bench.waits.reached(.seconds(5))
            try await bench.notify(["d1"], event: "settled", transport: "fcm")
            await bench.pass(.seconds(5))
            #expect(try await outcomes(bench, 2) == ["retry", "delivered"])
        }
        #expect(driver.sent.map(\.isWithdrawal) == [false, true])
    }

    @Test("an end that lies beyond all time is taken for a day")
    func endless() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm", expiresAtMs: Int64.max)
            #expect(try await outcomes(bench, 1) == ["delivered"])
        }
        #expect(driver.sent.map(\.expiresAt) == [bench.now + .seconds(86_400)])
        _ = try await bench.notify(["d1"], transport: "fcm", expiresAtMs: Int64.min)
    }

    @Test("attempts and claims are purged when their time is over")
    func purge() async throws {
        let bench = try NotifierBench()
        try await bench.notify(["d1"], transport: "fcm")
        try await bench.service.purge()
        #expect(try await bench.deliveries().count == 1)
        bench.advance(.seconds(31 * 86_400))
        try await bench.service.purge()
        #expect(try await bench.deliveries().isEmpty)
    }
}

/// A transport one of whose parties answers when the test says so, and not before.
private final class SilentParty: PushDriver {
    let transport = PushTransport.webpush
    private let state = Mutex<(sent: [ChallengeID], isSilent: Bool)>(([], true))
    private let changes = ChangeSignal()

    var sent: [ChallengeID] { state.withLock(\.sent) }

    func route(to address: Redacted<[UInt8]>, of tenant: TenantID) -> PushRoute {
        PushRoute(party: String(decoding: address.value, as: UTF8.self)) { await self.send($0, to: address) }
    }

    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        state.withLock { $0.sent.append(wakeUp.challenge) }
        changes.advance()
        let isSilent = Array("silent".utf8) == address.value
        await until { !isSilent || !$0.isSilent }
        return PushReport(.delivered)
    }

    func heard(_ count: Int) async { await until { $0.sent.count >= count } }

    func answer() {
        state.withLock { $0.isSilent = false }
        changes.advance()
    }

    private func until(_ condition: ((sent: [ChallengeID], isSilent: Bool)) -> Bool) async {
        while true {
            let seen = changes.count
            if state.withLock({ condition($0) }) { return }
            await changes.wait(past: seen)
        }
    }
}
