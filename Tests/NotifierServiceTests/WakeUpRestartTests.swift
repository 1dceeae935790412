import Domain
import Foundation
import NotifierService
import Secrets
import Storage
import StorageSQLite
import Synchronization
import TestSupport
import Testing
import Wire

/// A provider that answers only when it is given up.
private final class SilentDriver: PushDriver {
    let transport = PushTransport.fcm
    private let isAsked = Mutex(false)

    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport {
        isAsked.withLock { $0 = true }
        while !Task.isCancelled { await Task.yield() }
        return PushReport(.unreachable)
    }

    func asked() async { while !isAsked.withLock(\.self) { await Task.yield() } }
}

@Suite("Wake-ups of a process that ends", .timeLimit(.minutes(1)))
struct WakeUpRestartTests {
    @Test("one that was promised and not sent is sent by the next process")
    func killed() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await bench.notify(["d1"], transport: "fcm")
        try await running(bench.successor([driver])) {
            #expect(try await outcomes(bench, 1) == ["delivered"])
            try await bench.notify(["d1"], transport: "fcm")
            try await bench.notify(["d2"], transport: "fcm")
            _ = try await outcomes(bench, 2)
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d1"), DeviceID("d2")])
    }

    /// Whose process was told to end while a driver was sending.
    private func interrupted() async throws -> NotifierBench {
        let silent = SilentDriver()
        let bench = try NotifierBench(drivers: [silent])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await silent.asked()
        }
        return bench
    }

    @Test("one that a drain interrupts is sent by the next process")
    func drained() async throws {
        let bench = try await interrupted()
        let driver = ScriptedDriver(.fcm)
        try await running(bench.successor([driver])) {
            let tried = try await outcomes(bench, 2)
            #expect(tried == ["interrupted", "delivered"])
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d1")])
        #expect(bench.count("interrupted") == 1)
    }

    @Test("one that a drain interrupts may have rung: when its request ends, the phone is told")
    func drainedAndSettled() async throws {
        let bench = try await interrupted()
        let driver = ScriptedDriver(.fcm)
        let successor = bench.successor([driver])
        try await bench.notify(["d1"], event: "settled")
        try await running(successor) { _ = try await outcomes(bench, 2) }
        #expect(driver.sent.map(\.isWithdrawal) == [true])
    }

    @Test("one that was owed while the clock was a day ahead is forgone when it has been set back, and no other is")
    func setBack() async throws {
        let bench = try NotifierBench(drivers: [ScriptedDriver(.fcm)])
        bench.advance(.seconds(86_400))
        try await bench.notify(["d1"], challenge: "future", transport: "fcm")
        bench.advance(.seconds(-86_400))
        try await bench.notify(["d2"], transport: "fcm")
        let before = try await bench.store.read { try $0.countWakeUps() }
        try await bench.service.purge()
        let after = try await bench.store.read { try $0.countWakeUps() }
        #expect(before == 2 && after == 1)
        let forgone = try await bench.deliveries().map { "\($0.challengeID) \($0.outcome)" }
        #expect(forgone == ["future expired"])
    }

    @Test("one that waits for its next try is tried by the next process")
    func waiting() async throws {
        let busy = ScriptedDriver(.fcm, [.retry(after: .seconds(5))])
        let bench = try NotifierBench(drivers: [busy])
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await bench.waits.reached(.seconds(5))
        }
        let driver = ScriptedDriver(.fcm)
        try await running(bench.successor([driver])) {
            await bench.pass(.seconds(5))
            let tried = try await outcomes(bench, 2)
            #expect(tried == ["retry", "delivered"])
        }
    }

    @Test("one that ended, well or not, is not sent again")
    func ended() async throws {
        let first = ScriptedDriver(.fcm, [.delivered, .expiredAddress])
        let bench = try NotifierBench(drivers: [first])
        try await running(bench.service) {
            try await bench.notify(["d1", "d2"], transport: "fcm")
            _ = try await outcomes(bench, 2)
        }
        let driver = ScriptedDriver(.fcm)
        try await running(bench.successor([driver])) {
            try await bench.notify(["d3"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 3)
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d3")])
    }

    @Test("one whose last try a drain interrupts is written down once, and nobody tries it again")
    func drainedAtLast() async throws {
        let silent = SilentDriver()
        let bench = try NotifierBench(drivers: [silent]) { $0.attemptsMax = 1 }
        try await running(bench.service) {
            try await bench.notify(["d1"], transport: "fcm")
            await silent.asked()
        }
        let driver = ScriptedDriver(.fcm)
        try await running(bench.successor([driver])) {
            try await bench.notify(["d2"], challenge: "c2", transport: "fcm")
            let tried = try await outcomes(bench, 2)
            #expect(tried == ["interrupted", "delivered"])
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d2")])
    }

    @Test("one whose request is over is sent by nobody, and written down as never tried")
    func expired() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await bench.notify(["d1"], transport: "fcm")
        bench.advance(.seconds(60))
        try await running(bench.service) {
            try await bench.notify(["d2"], challenge: "c2", transport: "fcm")
            _ = try await outcomes(bench, 2)
        }
        #expect(driver.sent.map(\.device) == [DeviceID("d2")])
        let forgone = try await bench.deliveries("c1").map(\.outcome)
        #expect(forgone == ["expired"])
        #expect(bench.count("expired") == 1)
    }

    @Test("one that was never tried is written down although the word of its request's end comes first")
    func expiredAndSettled() async throws {
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver])
        try await bench.notify(["d1"], transport: "fcm")
        bench.advance(.seconds(60))
        try await bench.notify(["d1"], event: "settled")
        try await running(bench.service) {
            let forgone = try await outcomes(bench, 1)
            #expect(forgone == ["expired"])
        }
        #expect(driver.sent.isEmpty)
    }

    @Test("one that was sealed under a key that came into the ring since is sent, and one of another key is kept")
    func otherRing() async throws {
        let folder = try TemporaryFolder()
        let file = folder.file("ring.key")
        func ring(_ keys: String...) throws -> Sealer {
            let lines = keys.map { String(repeating: $0, count: 32) + "\n" }.joined()
            try Data(lines.utf8).write(to: URL(fileURLWithPath: file))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            return try Sealer(keyFile: file)
        }
        let driver = ScriptedDriver(.fcm)
        let bench = try NotifierBench(drivers: [driver], sealer: ring("aa"))
        _ = try bench.successor([driver], sealer: ring("ee"))
        try await bench.notify(["d1"], challenge: "gone", transport: "fcm")
        _ = try bench.successor([driver], sealer: ring("cd", "aa"))
        try await bench.notify(["d1"], transport: "fcm")
        try await running(bench.service) {
            _ = try await outcomes(bench, 1)
            await bench.waits.reached(.seconds(2))
        }
        #expect(driver.sent.map(\.challenge.rawValue) == ["c1"])
        let owed = try await bench.store.read { try $0.countWakeUps() }
        #expect(owed == 1)
    }

    @Test("an address is never stored as it is")
    func sealed() async throws {
        let bench = try NotifierBench(drivers: [ScriptedDriver(.fcm)])
        try await bench.notify(["d1"], transport: "fcm")
        #expect(try bench.storedBytes().range(of: Data("d1".utf8)) != nil)
        #expect(try bench.storedBytes().range(of: Data("secret-address".utf8)) == nil)
    }
}
