import Domain
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@testable import ChallengeService

@Suite("Which devices were used")
struct DeviceUseTests {
    @Test("registration hears of the device that approved a sign-in or gave its code, and of no other")
    func told() async throws {
        let bench = try ChallengeBench()
        let first = try await bench.begin()
        try await bench.approve(first)
        // The same answer again, a refusal, and a device that is set up.
        try await bench.approve(first)
        try await bench.refuse(bench.begin())
        #expect(bench.neighbours.used.isEmpty, "the sign-in did not wait for it")
        await bench.tell(after: .seconds(1))
        let heard = bench.neighbours.state.withLock(\.used)
        #expect(heard.map { $0.map(\.deviceID) } == [["d1"]])
        #expect(heard.first?.first?.tenant == "demo")
        #expect(heard.first?.first?.atMs == (bench.now - .seconds(1)).milliseconds)

        await bench.tell(after: DeviceUse.interval)
        let second = try await bench.begin("alice", .secondFactor)
        try await bench.submit(to: second)
        await bench.tell(after: .seconds(1))
        #expect(bench.neighbours.used == [["d1"], ["d1"]])
    }

    @Test("many sign-ins with a device are told once in a quarter of an hour")
    func interval() async throws {
        let bench = try ChallengeBench()
        for _ in 0..<20 {
            try await bench.approve(bench.begin())
            await bench.tell(after: .seconds(60))
        }
        #expect(bench.neighbours.used == [["d1"], ["d1"]])
    }

    @Test("a code that settles a request which no phone could see is a use of its device")
    func decoy() async throws {
        let bench = try ChallengeBench()
        let username = try await Obstruction.outsidePolicy.arrange(bench)
        let begun = try await bench.begin(username) { $0.anyModeCode = true }
        try await bench.submit(password: Neighbours.password, to: begun)
        await bench.tell(after: .seconds(1))
        #expect(bench.neighbours.used == [["d1"]])
    }

    @Test("a registration that is away, or does not know the message, keeps no sign-in up and hears of it when it can")
    func away() async throws {
        let bench = try ChallengeBench()
        bench.bus.inject(NoteDeviceUse.self) {
            throw ServiceError(.unavailable, "nobody knows this method", retryAfter: .seconds(5))
        }
        let begun = try await bench.begin()
        try await bench.approve(begun)
        await bench.tell(after: .seconds(1))
        let redeemed = try await bench.redeem(begun)
        #expect(redeemed.personID == "p1")
        bench.bus.inject(NoteDeviceUse.self, nil)
        await bench.tell(after: .seconds(29))
        #expect(bench.neighbours.used.isEmpty, "it is not asked all the time")
        await bench.tell(after: .seconds(1))
        #expect(bench.neighbours.used == [["d1"]])
    }

    @Test("a message that registration refuses is not sent again")
    func refused() async throws {
        let bench = try ChallengeBench()
        bench.bus.inject(NoteDeviceUse.self) { throw ServiceError(.refused, "this service may not ask") }
        try await bench.approve(bench.begin())
        await bench.tell(after: .seconds(1))
        bench.bus.inject(NoteDeviceUse.self, nil)
        await bench.tell(after: .seconds(60))
        #expect(bench.neighbours.used.isEmpty)
    }
}

extension ChallengeBench {
    /// What its background task does when so much time has passed.
    fileprivate func tell(after duration: Duration) async {
        clock.advance(duration)
        await service.tellDueUses()
    }
}
