import Domain
import Glibc
import Testing
import Wire

@testable import Messaging

@Suite("Peers that come and go", .timeLimit(.minutes(1)))
struct ChurnTests {
    private let keys = TemporaryFolder()
    private let strangers = TemporaryFolder()
    private let endpoint = "tcp://127.0.0.1:\(Int.random(in: 20_000..<32_000))"

    private func worker() throws -> MessageBus {
        var routes = Routes(service: .policy)
        echo(&routes)
        return try MessageBus(
            try Fixture.configuration(
                .policy, bind: [endpoint], security: .curve(try CurveKeys.load(folder: keys.path, service: .policy))),
            routes: routes, logger: Fixture.logger())
    }

    private func caller(_ endpoints: [String]) throws -> MessageBus {
        try MessageBus(
            try Fixture.configuration(
                .gateway, callees: [.policy: endpoints],
                security: .curve(try CurveKeys.load(folder: keys.path, service: .gateway))),
            logger: Fixture.logger())
    }

    @Test("a hundred callers that connect, ask and go leave no descriptor and no growing memory behind")
    func callers() async throws {
        let worker = try worker()
        try await Fixture.run([worker]) {
            func round() async throws {
                let caller = try caller([endpoint])
                try await Fixture.run([caller]) {
                    let reply = try await caller.call(question("x"), Fixture.context())
                    #expect(reply.name == "x")
                }
            }
            // What is made once is made in these.
            for _ in 0..<10 { try await round() }
            let before = (openDescriptors(), residentPages())
            for _ in 0..<100 { try await round() }
            #expect(openDescriptors() <= before.0 + 8)
            #expect(residentPages() - before.1 < 4_096)
        }
    }

    @Test("an address where nobody answers, or somebody else does, takes nothing from the right one")
    func wrongAddresses() async throws {
        let stranger = try CurveKeys.load(folder: strangers.path, service: .policy)
        var routes = Routes(service: .policy)
        echo(&routes)
        let port = Int.random(in: 20_000..<32_000)
        let impostor = try MessageBus(
            try Fixture.configuration(.policy, bind: ["tcp://127.0.0.1:\(port)"], security: .curve(stranger)),
            routes: routes, logger: Fixture.logger())
        let (worker, caller) = (
            try worker(), try caller(["tcp://127.0.0.1:\(port + 1)", "tcp://127.0.0.1:\(port)", endpoint])
        )
        try await Fixture.run([worker, impostor, caller]) {
            for number in 0..<100 {
                let reply = try await caller.call(question("\(number)"), Fixture.context())
                #expect(reply.name == "\(number)")
            }
            #expect(await Fixture.ready(caller, .policy).count == 1)
        }
    }

    @Test(
        "a thousand callers that lose their callee at one moment come back one by one, and at most twice in the first tenth of a second"
    )
    func herd() {
        var generator = SystemRandomNumberGenerator()
        let (start, limits) = (ContinuousClock.now, BusLimits())
        var attempts = [Int](repeating: 0, count: 8_000)
        for _ in 0..<1_000 {
            var peer = PeerMachine(limits: limits, now: start)
            var now = start
            while let due = peer.nextTick, start.duration(to: due) < .seconds(8) {
                now = max(now, due)
                guard peer.handle(.tick, at: now, jitter: 0) == .connect else { continue }
                if now > start { attempts[Int(start.duration(to: now).milliseconds)] += 1 }
                _ = peer.handle(.lost(.notReached), at: now, jitter: Double.random(in: 0...1, using: &generator))
            }
        }
        // The first pause is 25 to 50 ms: forty a millisecond if all were even.
        #expect((attempts.max() ?? 0) < 100)
        #expect(attempts[..<100].reduce(0, +) <= 2_000)
        // Later, seldom: pauses of one to two seconds, so 667 a second.
        #expect(attempts[7_000...].reduce(0, +) < 1_000)
    }
}

private func openDescriptors() -> Int { KeyFile.names(in: "/proc/self/fd")?.count ?? 0 }
