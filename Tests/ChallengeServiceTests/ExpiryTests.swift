import Domain
import Foundation
import Storage
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("Expiry and deletion")
struct ExpiryTests {
    @Test("what a process that ended should have let expire, another one of the same store does")
    func adopted() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let other = bench.another(answers: false)
        bench.clock.advance(.seconds(61))
        await other.adopt()
        #expect(try await bench.line(begun.id)?.status == .pending)
        bench.clock.advance(.seconds(2))
        await other.adopt()
        #expect(try await bench.line(begun.id)?.status == .expired)
    }

    @Test("what cannot be adopted is looked for again, and waits nowhere else")
    func notAdopted() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let other = bench.another(answers: false)
        bench.clock.advance(.seconds(63))
        bench.store.fail(.beforeBody)
        for _ in 0..<3 { await other.adopt() }
        #expect(other.deadlines.next == nil)
        bench.store.mend()
        await other.adopt()
        #expect(try await bench.line(begun.id)?.status == .expired)
    }

    @Test("a request expires at its moment and not before", arguments: [30, 60, 300])
    func expires(_ seconds: Int) async throws {
        let bench = try ChallengeBench { $0.requestLifetimeSeconds = seconds }
        let begun = try await bench.begin()
        await bench.elapse(.milliseconds(seconds * 1000 - 1))
        #expect(try await bench.status(begun) == "pending")
        #expect(try await bench.line(begun.id)?.status == .pending)
        await bench.elapse(.milliseconds(1))
        #expect(try await bench.status(begun) == "expired")
        #expect(try await bench.line(begun.id)?.status == .expired)
        #expect(try await bench.pending().isEmpty)
    }

    @Test("one sweep expires the requests of many people and tenants")
    func sweep() async throws {
        let bench = try ChallengeBench()
        var begun: [Begun] = []
        for number in 0..<250 { begun.append(try await bench.begin("nobody-\(number)")) }
        let other = try await bench.begin(tenant: ChallengeBench.other)
        await bench.elapse(.seconds(60))
        for request in begun {
            #expect(try await bench.record(request.id)?.machine.state.status == .expired)
        }
        #expect(try await bench.record(other.id, tenant: ChallengeBench.other)?.machine.state.status == .expired)
        #expect(bench.service.deadlines.next == nil)
    }

    @Test("a sweep leaves what was settled alone")
    func settledFirst() async throws {
        let bench = try ChallengeBench()
        let (denied, canceled, redeemed) = (try await bench.begin(), try await bench.begin(), try await bench.begin())
        try await bench.refuse(denied)
        try await bench.cancel(canceled)
        try await bench.approve(redeemed)
        _ = try await bench.redeem(redeemed)
        await bench.elapse(.seconds(600))
        #expect(try await bench.line(denied.id)?.status == .denied)
        #expect(try await bench.line(canceled.id)?.status == .canceled)
        #expect(try await bench.line(redeemed.id)?.status == .redeemed)
    }

    @Test("a restarted process expires what began before")
    func restart() async throws {
        let bench = try ChallengeBench()
        let pending = try await bench.begin()
        let approved = try await bench.begin()
        try await bench.approve(approved)
        let restarted = bench.another()
        try await restarted.resume()
        bench.clock.advance(.seconds(60))
        await restarted.meetDeadlines()
        #expect(try await bench.line(pending.id)?.reason == .timeout)
        #expect(try await bench.line(approved.id)?.reason == .notRedeemed)
    }

    @Test("what expired while no process ran is expired at the start, at the moment that it was due")
    func downtime() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.clock.advance(.seconds(7200))
        let restarted = bench.another()
        try await restarted.resume()
        await restarted.meetDeadlines()
        let line = try #require(try await bench.line(begun.id))
        #expect(line.status == .expired && line.settledAt?.milliseconds == begun.reply.expiresAtMs)
    }

    @Test("a cancellation repeats, but not after an expiry or a settlement")
    func cancel() async throws {
        let bench = try ChallengeBench()
        let (canceled, denied, expired) = (try await bench.begin(), try await bench.begin(), try await bench.begin())
        try await bench.cancel(canceled)
        try await bench.cancel(canceled)
        try await bench.refuse(denied)
        #expect(await bench.refusal { try await bench.cancel(denied) }?.code == .settled)
        bench.clock.advance(.seconds(60))
        #expect(await bench.refusal { try await bench.cancel(expired) }?.code == .expired)
        #expect(try await bench.line(expired.id)?.status == .expired)
        try await bench.cancel(canceled)
    }

    @Test("removing a device ends only the requests that no other device could answer")
    func deviceRemoved() async throws {
        let bench = try ChallengeBench()
        let only = try await bench.begin()
        let devices = ["d1", "d2"].map { Neighbours.device($0, of: "p1") }
        bench.neighbours.add("alice", id: "p1", devices: devices)
        let both = try await bench.begin()
        try await bench.revoke(.deviceRemoved, device: "d1")
        #expect(try await bench.status(only) == "canceled")
        #expect(try await bench.line(only.id)?.reason == .deviceRemoved)
        #expect(try await bench.status(both) == "pending")
        #expect(try await bench.pending("d1").isEmpty)
        #expect(try await bench.pending("d2").map(\.id) == [both.id])
        try await bench.revoke(.deviceRemoved, device: "d2")
        #expect(try await bench.status(both) == "canceled")
    }

    @Test("a device that lost its phone sign-in ends its passwordless requests, and still answers as a second factor")
    func phoneSignInDisabled() async throws {
        let bench = try ChallengeBench()
        let (signIn, second) = (try await bench.begin(), try await bench.begin("alice", .secondFactor))
        try await bench.revoke(.phoneSignInDisabled, device: "d1")
        #expect(try await bench.status(signIn) == "canceled")
        #expect(try await bench.line(signIn.id)?.reason == .phoneSignInDisabled)
        #expect(try await bench.approve(second).status == "approved")
    }

    @Test("a late repeat of a revocation does not end what was begun since")
    func lateRevocation() async throws {
        let bench = try ChallengeBench()
        let id = RequestID(high: 7 << 12, low: 1 << 32)
        let before = try await bench.begin()
        try await bench.revoke(id: id)
        bench.clock.advance(.seconds(1))
        // The fourth is a decoy: three may be open.
        var after: [Begun] = []
        for _ in 0..<4 { after.append(try await bench.begin()) }
        try await bench.revoke(id: id)
        #expect(try await bench.status(before) == "canceled")
        for one in after { #expect(try await bench.status(one) == "pending") }
    }

    @Test("blocking a person cancels all of their open requests, and nobody else's")
    func blocked() async throws {
        let bench = try ChallengeBench()
        bench.neighbours.add("bob", id: "p2", devices: [Neighbours.device("d9", of: "p2")])
        let (first, second, bobs) = (try await bench.begin(), try await bench.begin(), try await bench.begin("bob"))
        try await bench.revoke()
        try await bench.revoke()
        #expect(try await bench.status(first) == "canceled")
        #expect(try await bench.status(second) == "canceled")
        #expect(try await bench.line(first.id)?.reason == .blocked)
        #expect(try await bench.status(bobs) == "pending")
    }

    @Test("blocking a person ends their decoys too, however many there are, after what could be approved")
    func blockedWithDecoys() async throws {
        var configuration = ChallengeConfiguration()
        configuration.purgeBatchMax = 2
        let bench = try ChallengeBench(configuration: configuration)
        var begun: [Begun] = []
        for _ in 0..<8 { begun.append(try await bench.begin()) }
        try await bench.revoke()
        for one in begun { #expect(try await bench.status(one) == "canceled") }
    }

    @Test("settled challenges are deleted after a day, their lines after 400, pending ones never")
    func purge() async throws {
        let bench = try ChallengeBench()
        let denied = try await bench.begin()
        try await bench.refuse(denied)
        bench.clock.advance(.seconds(24 * 3600))
        try await bench.service.purge()
        #expect(try await bench.record(denied.id) != nil)
        bench.clock.advance(.milliseconds(1))
        let pending = try await bench.begin()
        try await bench.service.purge()
        #expect(try await bench.record(denied.id) == nil)
        #expect(await bench.refusal { try await bench.outcome(denied) }?.code == .notFound)
        #expect(try await bench.line(denied.id)?.reason == .declined)
        #expect(try await bench.status(pending) == "pending")
        bench.clock.advance(.seconds(400 * 24 * 3600))
        try await bench.service.purge()
        #expect(try await bench.line(denied.id) == nil)
        #expect(try await bench.line(pending.id) != nil)
    }

    @Test("replies that a caller may still repeat are not deleted")
    func memos() async throws {
        let bench = try ChallengeBench()
        let (key, once) = (bench.key("k"), RequestID(high: 7 << 12, low: 1 << 32))
        _ = try await bench.begin(id: key)
        _ = try await bench.begin(id: once)
        func memo(_ id: RequestID) async throws -> Memo? { try await bench.store.read { try $0.memo(id) } }
        bench.clock.advance(.seconds(15 * 60))
        try await bench.service.purge()
        #expect(try await memo(once) != nil)
        bench.clock.advance(.milliseconds(1))
        try await bench.service.purge()
        #expect(try await memo(once) == nil)
        bench.clock.advance(.seconds(24 * 3600 - 15 * 60 - 1))
        try await bench.service.purge()
        #expect(try await memo(key) != nil)
    }

    @Test("a deletion goes on until nothing old is left, a bounded batch at a time")
    func batches() async throws {
        var configuration = ChallengeConfiguration()
        configuration.purgeBatchMax = 3
        let bench = try ChallengeBench(configuration: configuration)
        var begun: [Begun] = []
        for number in 0..<10 { begun.append(try await bench.begin("nobody-\(number)")) }
        await bench.elapse(.seconds(60))
        bench.clock.advance(.seconds(25 * 3600))
        _ = bench.tally.take()
        try await bench.service.purge()
        // Ten requests and ten replies by threes, and no line of the log.
        #expect(bench.tally.take()["transaction"] == 4 + 4 + 1)
        for request in begun { #expect(try await bench.record(request.id) == nil) }
    }

    @Test("a deletion that fails is made up for by the next one")
    func purgeFails() async throws {
        let bench = try ChallengeBench()
        let denied = try await bench.begin()
        try await bench.refuse(denied)
        bench.clock.advance(.seconds(25 * 3600))
        bench.store.fail(.atCommit)
        await #expect(throws: StorageError.self) { try await bench.service.purge() }
        bench.store.mend()
        #expect(try await bench.record(denied.id) != nil)
        try await bench.service.purge()
        #expect(try await bench.record(denied.id) == nil)
    }

    @Test("deadlines come earliest first, and never before their time")
    func deadlines() {
        let deadlines = Deadlines()
        let bytes = SeededBytes(seed: 3)
        let times = (0..<500).map { _ in Int64(bytes.next(1)[0]) * 256 + Int64(bytes.next(1)[0]) }
        for (number, time) in times.enumerated() {
            deadlines.add(
                .lapse(ChallengeID("\(number)"), TenantID("t")), at: Timestamp(milliseconds: time))
        }
        var met: [Int64] = []
        for moment in stride(from: Int64(0), through: 66_000, by: 1_000) {
            while let event = deadlines.take(at: Timestamp(milliseconds: moment), limit: 1).first {
                guard case .lapse(let id, _) = event, let number = Int(id.rawValue) else { continue }
                #expect(times[number] <= moment)
                met.append(times[number])
            }
        }
        #expect(met == times.sorted())
        #expect(deadlines.next == nil)
    }

    @Test("of a challenge that has ended no deadline is met, and one that comes after its end is")
    func dropped() {
        let deadlines = Deadlines()
        let (ended, open) = (ChallengeID("ended"), ChallengeID("open"))
        func add(_ id: ChallengeID, _ time: Int64) {
            deadlines.add(.lapse(id, TenantID("t")), at: Timestamp(milliseconds: time))
        }
        func met(_ time: Int64) -> [Deadlines.Event] { deadlines.take(at: Timestamp(milliseconds: time), limit: 9) }
        for id in [ended, open] { for time in [10, 20] { add(id, Int64(time)) } }
        deadlines.dropLapses(of: ended)
        #expect(met(10) == [.lapse(open, TenantID("t"))])
        add(ended, 15)
        #expect(met(15) == [.lapse(ended, TenantID("t"))])
        #expect(met(20) == [.lapse(open, TenantID("t"))])
        #expect(deadlines.next == nil)
    }

    @Test("what was answered and redeemed is not looked at again when its time comes")
    func endedIsLeftAlone() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        try await bench.approve(begun)
        _ = try await bench.redeem(begun)
        bench.store.fail(.beforeBody)
        await bench.elapse(.seconds(600))
        #expect(bench.service.deadlines.next == nil)
    }
}
