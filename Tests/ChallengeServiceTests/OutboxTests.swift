import Domain
import Foundation
import Messaging
import Storage
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("The outbox")
struct OutboxTests {
    private let away: @Sendable () throws -> Void = { throw ServiceError(.unavailable, "away") }

    @Test("the notifier is told what to show where, once, after the commit")
    func delivered() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        #expect(bench.neighbours.notified.isEmpty)
        await bench.deliver()
        await bench.deliver()
        #expect(bench.neighbours.notified.count == 1)
        let notify = try #require(bench.neighbours.notified.first)
        #expect(notify.event == "challenge" && notify.challengeID == begun.id && notify.tenant == "demo")
        #expect(notify.purpose == "signIn" && notify.expiresAtMs == begun.reply.expiresAtMs)
        #expect(notify.targets.map(\.deviceID) == ["d1"])
        #expect(notify.targets.first?.push.address == Data("address-of-d1".utf8))
        #expect(try await bench.outbox().isEmpty)
    }

    @Test("what was settled is withdrawn from every device, also the one that answered, without their addresses")
    func withdrawn() async throws {
        let bench = try ChallengeBench()
        let devices = ["d1", "d2"].map { Neighbours.device($0, of: "p1") }
        bench.neighbours.add("alice", id: "p1", devices: devices)
        try await bench.approve(bench.begin())
        await bench.deliver()
        let notify = try #require(bench.neighbours.notified.last)
        #expect(notify.event == "settled" && notify.status == "approved")
        #expect(notify.targets.map(\.deviceID) == ["d1", "d2"])
        #expect(notify.targets.allSatisfy { $0.push.address.isEmpty })
        #expect(notify.answeredBy == "d1")
        #expect(notify.content.isEmpty)
    }

    @Test("canceled and expired requests are withdrawn from every device", arguments: [false, true])
    func withdrawnFromAll(_ isCanceled: Bool) async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        if isCanceled { try await bench.cancel(begun) } else { await bench.elapse(.seconds(60)) }
        await bench.deliver()
        let notify = try #require(bench.neighbours.notified.last)
        #expect(notify.event == "settled" && notify.status == (isCanceled ? "canceled" : "expired"))
        #expect(notify.answeredBy.isEmpty)
        #expect(notify.targets.map(\.deviceID) == ["d1"])
    }

    @Test("a code settles without the phone's doing, so that it is withdrawn there too")
    func withdrawnAfterCode() async throws {
        let bench = try ChallengeBench()
        try await bench.submit(to: bench.begin("alice", .secondFactor))
        await bench.deliver()
        let notify = try #require(bench.neighbours.notified.last)
        #expect(notify.event == "settled" && notify.targets.map(\.deviceID) == ["d1"])
        #expect(notify.answeredBy.isEmpty)
    }

    @Test("a message is sealed at rest: no address is in the database")
    func sealed() async throws {
        let bench = try ChallengeBench()
        _ = try await bench.begin()
        let message = try #require(try await bench.outbox().first)
        #expect(message.body.firstRange(of: Array("address-of".utf8)) == nil)
        #expect(message.body.firstRange(of: Array("alice".utf8)) == nil)
    }

    @Test("while the notifier is unavailable it is tried again and again, ever more rarely, and arrives in the end")
    func retried() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.bus.inject(Notify.self, away)
        var pauses: [Duration] = []
        for _ in 0..<6 {
            await bench.deliver()
            let due = try #require(try await bench.outbox().first?.dueAt)
            pauses.append(due - bench.now)
            // Before its time it is left alone.
            bench.clock.advance(due - bench.now)
        }
        #expect(pauses.allSatisfy { $0 >= .milliseconds(100) && $0 <= .seconds(30) })
        #expect(pauses[5] > pauses[0])
        bench.bus.inject(Notify.self, nil)
        await bench.deliver()
        #expect(bench.neighbours.notified.map(\.challengeID) == [begun.id])
        #expect(try await bench.outbox().isEmpty)
    }

    @Test("a message that was put off while the clock was a day ahead is due when it was set back, and no other is")
    func setBack() async throws {
        let bench = try ChallengeBench()
        bench.bus.inject(Notify.self, away)
        bench.clock.advance(.seconds(86_400))
        let begun = try await bench.begin()
        await bench.deliver()
        bench.clock.advance(.seconds(-86_400))
        bench.bus.inject(Notify.self, nil)
        await bench.deliver()
        #expect(bench.neighbours.notified.isEmpty)
        try await bench.service.recall()
        await bench.deliver()
        #expect(bench.neighbours.notified.map(\.challengeID) == [begun.id])
        // What a right clock has put off stays put off.
        bench.bus.inject(Notify.self, away)
        _ = try await bench.begin()
        await bench.deliver()
        let due = try #require(try await bench.outbox().first?.dueAt)
        try await bench.service.recall()
        #expect(try await bench.outbox().first?.dueAt == due && due > bench.now)
    }

    @Test("what a process has put off whose clock is ahead by as much as is tolerated stays put off")
    func ahead() async throws {
        let bench = try ChallengeBench()
        bench.bus.inject(Notify.self, away)
        bench.clock.advance(ClockSkew.tolerated)
        _ = try await bench.begin()
        for _ in 0..<6 {
            await bench.deliver()
            let due = try #require(try await bench.outbox().first?.dueAt)
            bench.clock.advance(.zero - ClockSkew.tolerated)
            try await bench.service.recall()
            #expect(try await bench.outbox().first?.dueAt == due)
            bench.clock.advance(ClockSkew.tolerated)
            bench.clock.advance(due - bench.now)
        }
    }

    @Test("before it is due again a message is left alone")
    func notYet() async throws {
        let bench = try ChallengeBench()
        _ = try await bench.begin()
        bench.bus.inject(Notify.self, away)
        await bench.deliver()
        bench.bus.inject(Notify.self, nil)
        await bench.deliver()
        #expect(bench.neighbours.notified.isEmpty)
        bench.clock.advance(.seconds(1))
        await bench.deliver()
        #expect(bench.neighbours.notified.count == 1)
    }

    @Test("every attempt has the same request id, so that the notifier takes a repeat as one")
    func sameID() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        let first = OutboxDispatcher.context(
            .notify, ChallengeID(begun.id), origin: RequestID(high: 1, low: 1), timeout: .seconds(1))
        let second = OutboxDispatcher.context(
            .settled, ChallengeID(begun.id), origin: RequestID(high: 1, low: 1), timeout: .seconds(1))
        #expect(first.requestID != second.requestID)
        await bench.deliver()
        #expect(bench.neighbours.state.withLock { $0.notified.map(\.id) } == [first.requestID])
    }

    @Test("a message that may have arrived is sent as often as the tenant's notifications allow", arguments: 1...3)
    func attempts(_ allowed: Int) async throws {
        let bench = try ChallengeBench { $0.notificationsPerRequest = allowed }
        _ = try await bench.begin()
        bench.bus.inject(Notify.self) {
            throw ServiceError(.unavailable, "no reply", members: ["outcome": "unknown"])
        }
        for _ in 1..<allowed {
            await bench.deliver()
            #expect(try await bench.outbox().count == 1)
            bench.clock.advance(.seconds(10))
        }
        await bench.deliver()
        #expect(try await bench.outbox().isEmpty)
    }

    @Test("one that found nobody uses up no attempt")
    func notSent() async throws {
        let bench = try ChallengeBench { $0.notificationsPerRequest = 1 }
        _ = try await bench.begin()
        bench.bus.inject(Notify.self, away)
        for _ in 0..<10 {
            await bench.deliver()
            bench.clock.advance(.seconds(3))
        }
        bench.bus.inject(Notify.self, nil)
        // The pause is at most as long as the message has waited.
        bench.clock.advance(.seconds(27))
        await bench.deliver()
        #expect(bench.neighbours.notified.count == 1)
    }

    @Test("what nobody needs any more is dropped: a request that has expired is not shown")
    func dropped() async throws {
        let bench = try ChallengeBench()
        _ = try await bench.begin()
        bench.bus.inject(Notify.self, away)
        await bench.deliver()
        bench.bus.inject(Notify.self, nil)
        bench.clock.advance(.seconds(60))
        await bench.deliver()
        #expect(bench.neighbours.notified.isEmpty)
        #expect(try await bench.outbox().isEmpty)
    }

    @Test("a request that ended while the notifier was away is not shown any more; that it ended is told")
    func ended() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.bus.inject(Notify.self, away)
        await bench.deliver()
        try await bench.cancel(begun)
        bench.bus.inject(Notify.self, nil)
        bench.clock.advance(.seconds(30))
        await bench.deliver()
        #expect(bench.neighbours.notified.map(\.event) == ["settled"])
        #expect(try await bench.outbox().isEmpty)
    }

    @Test("what the notifier refuses for good is dropped and blocks nothing behind it")
    func refused() async throws {
        let bench = try ChallengeBench()
        _ = try await bench.begin()
        bench.bus.inject(Notify.self) { throw ServiceError(.malformed, "no") }
        await bench.deliver()
        #expect(try await bench.outbox().isEmpty)
        bench.bus.inject(Notify.self, nil)
        _ = try await bench.begin()
        await bench.deliver()
        #expect(bench.neighbours.notified.count == 1)
    }

    @Test("a message survives a restart")
    func restart() async throws {
        let bench = try ChallengeBench()
        let begun = try await bench.begin()
        bench.bus.inject(Notify.self, away)
        await bench.deliver()
        bench.bus.inject(Notify.self, nil)
        let restarted = bench.another()
        bench.clock.advance(.seconds(1))
        try await restarted.resume()
        await restarted.outbox.deliverDue()
        #expect(bench.neighbours.notified.map(\.challengeID) == [begun.id])
    }

    @Test("a message that cannot be deleted after its delivery is delivered again under the same id")
    func undeleted() async throws {
        let bench = try ChallengeBench()
        _ = try await bench.begin()
        bench.store.fail(.atCommit)
        await bench.deliver()
        bench.store.mend()
        #expect(try await bench.outbox().count == 1)
        await bench.deliver()
        let ids = bench.neighbours.state.withLock { $0.notified.map(\.id) }
        #expect(ids.count == 2 && Set(ids).count == 1)
        #expect(try await bench.outbox().isEmpty)
    }

    @Test("more messages than may be under way are all delivered")
    func many() async throws {
        var configuration = ChallengeConfiguration()
        configuration.deliveriesMax = 2
        let bench = try ChallengeBench(configuration: configuration)
        let running = Task { await bench.service.outbox.run() }
        for number in 0..<10 {
            bench.neighbours.add("u\(number)", id: "u\(number)", devices: [Neighbours.device("x\(number)", of: "u")])
            _ = try await bench.begin("u\(number)")
        }
        while bench.neighbours.notified.count < 10 { await Task.yield() }
        #expect(Set(bench.neighbours.notified.map(\.challengeID)).count == 10)
        running.cancel()
        await running.value
    }

    @Test(
        "what was just committed is sent without a reading or a lease, and deleted with more", arguments: [false, true])
    func handedOver(isShared: Bool) async throws {
        var configuration = ChallengeConfiguration()
        configuration.deletionPause = .seconds(1)
        let bench = try ChallengeBench(configuration: configuration, isShared: isShared)
        let look = isShared ? "leaseDueMessages(for:at:until:limit:)" : "dueMessages(for:at:limit:)"
        let running = Task { await bench.service.outbox.run() }
        // Each receiver's loop looks once when it starts.
        var looks = 0
        while looks < OutboxRecord.Receiver.allCases.count {
            looks += bench.tally.take()[look] ?? 0
            await Task.yield()
        }
        for number in 0..<5 {
            bench.neighbours.add("u\(number)", id: "u\(number)", devices: [Neighbours.device("x\(number)", of: "u")])
            _ = try await bench.begin("u\(number)")
        }
        while bench.neighbours.notified.count < 5 { await Task.yield() }
        // The pause is over for all of them at once.
        var asked = bench.tally.take()
        while asked["deleteMessage(_:)"] != 5 {
            try await Task.sleep(for: .milliseconds(5))
            asked.merge(bench.tally.take(), uniquingKeysWith: +)
        }
        #expect(asked[look] == nil)
        #expect(asked["transaction"] == 5 + 1)
        // Asked for, and soon committed.
        while try await !bench.outbox().isEmpty { await Task.yield() }
        running.cancel()
        await running.value
        #expect(bench.neighbours.notified.count == 5)
    }

    @Test("what a process that ended had to send is another's when its lease is over")
    func leftBehind() async throws {
        let bench = try ChallengeBench(isShared: true)
        bench.bus.inject(Notify.self) { try await Task.sleep(for: .seconds(3600)) }
        let running = Task { await bench.service.outbox.run() }
        while bench.service.outbox.turn(at: bench.now).places == 0 { await Task.yield() }
        let begun = try await bench.begin()
        running.cancel()
        await running.value
        bench.bus.inject(Notify.self, nil)
        let other = bench.another()
        await other.outbox.deliverDue()
        #expect(bench.neighbours.notified.isEmpty)
        bench.clock.advance(ChallengeConfiguration().deliveryLease)
        await other.outbox.deliverDue()
        #expect(bench.neighbours.notified.map(\.challengeID) == [begun.id])
    }

    @Test("a backlog goes out on one signal, however few may be under way")
    func backlog() async throws {
        var configuration = ChallengeConfiguration()
        configuration.deliveriesMax = 4
        let bench = try ChallengeBench(configuration: configuration)
        for number in 0..<60 {
            bench.neighbours.add("u\(number)", id: "u\(number)", devices: [Neighbours.device("x\(number)", of: "u")])
            _ = try await bench.begin("u\(number)")
        }
        let running = Task { await bench.service.outbox.run() }
        while bench.neighbours.notified.count < 60 { await Task.yield() }
        running.cancel()
        await running.value
        #expect(Set(bench.neighbours.notified.map(\.challengeID)).count == 60)
    }

    @Test("a notifier that answers nobody does not hold up what is for registration")
    func apart() async throws {
        var configuration = ChallengeConfiguration()
        configuration.deliveriesMax = 1
        let bench = try ChallengeBench(configuration: configuration)
        bench.bus.inject(Notify.self) { try await Task.sleep(for: .seconds(3600)) }
        let begun = try await bench.beginForDevice("c1", .registration)
        bench.bus.inject(ConfirmDevice.self, away)
        let answer = try await bench.answer("c1", number: begun.number) {
            ($0.deviceState, $0.phoneSignIn) = ("awaitingConfirmation", false)
        }
        _ = await bench.refusal { try await bench.settle(answer) }
        bench.bus.inject(ConfirmDevice.self, nil)
        _ = try await bench.begin()
        bench.clock.advance(.seconds(10))
        let running = Task { await bench.service.outbox.run() }
        while bench.neighbours.confirmed.isEmpty { await Task.yield() }
        #expect(bench.neighbours.confirmed.map(\.approved) == [true] && bench.neighbours.notified.isEmpty)
        running.cancel()
        await running.value
    }
}
