import Domain
import NotifierService
import Storage
import StorageSQLite
import Synchronization
import TestSupport
import Testing
import Wire

/// A provider that answers when a test says so, and whose caller waits although it was given up.
private final class HeldDriver: PushDriver {
    let transport = PushTransport.fcm
    private struct State {
        var sent: [WakeUp] = []
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    var sent: [WakeUp] { state.withLock(\.sent) }

    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.sent.append(wakeUp)
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
        return PushReport(.delivered)
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func asked(_ count: Int) async { while sent.count < count { await Task.yield() } }
}

@Suite("Wake-ups of several notifiers", .timeLimit(.minutes(1)))
struct WakeUpLeaseTests {
    @Test("one that a slow notifier is sending is not sent by another beside it")
    func slow() async throws {
        let (held, other) = (HeldDriver(), ScriptedDriver(.fcm))
        let bench = try NotifierBench(drivers: [held])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await held.asked(1)
            try await running(bench.successor([other])) {
                try await bench.notify(["d2"], transport: "fcm")
                #expect(try await outcomes(bench, 1) == ["delivered"])
                #expect(other.sent.map(\.device) == [DeviceID("d2")])
                held.open()
                #expect(try await outcomes(bench, 2) == ["delivered", "delivered"])
            }
        }
        #expect(held.sent.map(\.device) == [DeviceID("d1")])
    }

    @Test("a hundred requests at two notifiers ring each phone once")
    func shared() async throws {
        let (first, second) = (ScriptedDriver(.fcm), ScriptedDriver(.fcm))
        let bench = try NotifierBench(drivers: [first])
        try await running(bench.service) {
            try await running(bench.successor([second])) {
                for number in 0..<100 { try await bench.notify(["d1"], challenge: "c\(number)", transport: "fcm") }
                _ = try await outcomes(bench, 100)
            }
        }
        let rung = (first.sent + second.sent).map(\.challenge.rawValue)
        #expect(Set(rung).count == 100 && rung.count == 100)
    }

    @Test("one whose notifier is gone is sent by another when the lease is over, as the second of its three attempts")
    func abandoned() async throws {
        let bench = try NotifierBench(drivers: [ScriptedDriver(.fcm)])
        try await bench.notify(["d1"], transport: "fcm")
        let (start, until) = (bench.now, bench.now + .seconds(25))
        let leased = try await bench.store.write { try $0.leaseWakeUps(.fcm, at: start, until: until, limit: 9) }
        #expect(leased.count == 1)
        let driver = ScriptedDriver(.fcm, [.timeout, .timeout])
        try await running(bench.successor([driver])) {
            await bench.pass(.seconds(25))
            await bench.pass(.seconds(2))
            let tried = try await outcomes(bench, 3)
            #expect(tried == ["interrupted", "timeout", "timeout"])
        }
        #expect(driver.sent.count == 2)
        let owed = try await bench.store.read { try $0.countWakeUps() }
        #expect(owed == 0)
    }

    @Test("an attempt that was lost with its notifier is written down and counted once, by whoever takes over")
    func lost() async throws {
        // Twice as long the second time, which no attempt may take.
        let bench = try NotifierBench(drivers: [ScriptedDriver(.fcm, [.retry(after: .seconds(6))])])
        try await bench.notify(["d1"], transport: "fcm")
        try await bench.lose()
        try await running(bench.service) {
            await bench.pass(.seconds(12))
            let tried = try await outcomes(bench, 3)
            #expect(tried == ["interrupted", "retry", "delivered"])
        }
        #expect(bench.count("interrupted") == 1)
    }

    @Test("one that was lost is a ring although its request has ended when it is taken over; the phone is told")
    func lostAndSettled() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await bench.notify(["d1"], transport: "fcm")
        try await bench.lose()
        try await bench.notify(["d1"], event: "settled")
        try await running(bench.service) {
            let tried = try await outcomes(bench, 2)
            #expect(tried == ["interrupted", "delivered"])
        }
        #expect(driver.sent.map(\.isWithdrawal) == [true])
        #expect(bench.count("interrupted") == 1)
    }

    @Test("one that was lost after it had rung the device that answered is written down when its request is over")
    func lostAndAnswered() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await bench.notify(["d1"], transport: "fcm")
        try await bench.lose()
        try await bench.notify(["d1"], event: "settled", answeredBy: "d1")
        try await running(bench.service) {
            try await bench.notify(["d2"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 1)
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d2")])
        bench.advance(.seconds(60))
        for _ in 0..<2 { try await bench.service.purge() }
        let lost = try await bench.deliveries("c1").map(\.outcome)
        #expect(lost == ["interrupted"])
        #expect(bench.count("interrupted") == 1)
    }

    @Test("one that comes back when its lease is nearly over sends nothing, which is no attempt")
    func late() async throws {
        let bench = try NotifierBench {
            $0.wakeUpLease = .seconds(25)
            $0.sendTimeout = .seconds(26)
        }
        let driver = ScriptedDriver(.fcm)
        let impatient = bench.successor([driver])
        try await bench.notify(["d1"], transport: "fcm")
        try await running(impatient) {
            await bench.waits.reached(.seconds(25))
        }
        #expect(driver.sent.isEmpty)
        bench.advance(.seconds(25))
        let leased = try await bench.lease()
        #expect(leased.map(\.attempts) == [1] && leased.map(\.isTakenOver) == [false])
    }
}

extension NotifierBench {
    /// As another process does it.
    fileprivate func lease() async throws -> [WakeUpRecord] {
        let (time, until) = (now, now + .seconds(10))
        return try await store.write { try $0.leaseWakeUps(.fcm, at: time, until: until, limit: 9) }
    }

    /// What is due is leased by a process that is killed before it says anything; the lease is over.
    fileprivate func lose() async throws {
        let leased = try await lease()
        #expect(!leased.isEmpty)
        advance(.seconds(10))
    }
}
