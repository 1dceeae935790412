import Domain
import SwiftProtobuf
import Testing
import Wire

@testable import Messaging

@Suite("Callees that come and go", .timeLimit(.minutes(1)))
struct BusFaultTests {
    let buses = PolicyBuses()

    private func hanging(_ name: String, started: Tally) throws -> MessageBus {
        try buses.worker(name) { routes in
            routes.on(AuthenticateToken.self) { _, _ in
                started.add()
                try await untilCancelled()
                return AuthenticateTokenReply()
            }
            routes.on(WatchPolicy.self) { _, _ in
                started.add()
                try await untilCancelled()
                return WatchPolicyReply()
            }
        }
    }

    private func answering(_ name: String) throws -> MessageBus {
        try buses.worker(name) { routes in
            echo(&routes)
            routes.on(WatchPolicy.self) { _, _ in WatchPolicyReply() }
        }
    }

    @Test("what a killed callee had is asked of the other one")
    func kill() async throws {
        let started = Tally()
        let (first, second, caller) = (
            try hanging("a", started: started), try answering("b"), try buses.caller(["a", "b"])
        )
        try await Fixture.run([first, second, caller]) {
            await Fixture.ready(caller, .policy, count: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let reply = try await caller.call(question("\(number)"), Fixture.context())
                        #expect(reply.name == "\(number)")
                    }
                }
                await started.reach(1)
                await first.crash()
                try await group.waitForAll()
            }
        }
    }

    @Test("a parked read moves to the other callee when its own is killed")
    func killParked() async throws {
        let started = Tally()
        let (first, caller) = (try hanging("a", started: started), try buses.caller(["a", "b"]))
        let second = try answering("b")
        try await Fixture.run([first, caller]) {
            await Fixture.ready(caller, .policy)
            let reply = Task { try await caller.call(WatchPolicy(), Fixture.context(.seconds(30))) }
            await started.reach(1)
            try await Fixture.run([second]) {
                await first.crash()
                _ = try await reply.value
            }
        }
    }

    @Test("a call for one instance fails when that instance is killed, and its outcome is unknown")
    func killNamed() async throws {
        let started = Tally()
        let (first, caller) = (try hanging("a", started: started), try buses.caller(["a"]))
        try await Fixture.run([first, caller]) {
            let instance = try #require(await Fixture.ready(caller, .policy).first)
            let call = Task { try await caller.call(question(""), at: instance, Fixture.context(.seconds(30))) }
            await started.reach(1)
            await first.crash()
            #expect(await failure { _ = try await call.value }?.isOutcomeUnknown == true)
        }
    }

    @Test("a callee that starts again is another instance, and is used")
    func restart() async throws {
        let (first, caller) = (try answering("a"), try buses.caller(["a"]))
        try await Fixture.run([first, caller]) {
            let before = await Fixture.ready(caller, .policy)
            await first.crash()
            let again = try answering("a")
            try await Fixture.run([again]) {
                let reply = try await caller.call(question("again"), Fixture.context())
                #expect(reply.name == "again")
                #expect(await Fixture.ready(caller, .policy) != before)
            }
        }
    }

    @Test("a draining callee finishes what runs, sends parked calls elsewhere, and gets nothing new")
    func drain() async throws {
        let (started, release) = (Tally(), Latch())
        let first = try buses.worker("a") { routes in
            routes.on(AuthenticateToken.self) { request, _ in
                started.add()
                await release.wait()
                return AuthenticateTokenReply.with { $0.name = "first \(request.tenant)" }
            }
            routes.on(WatchPolicy.self) { _, _ in
                started.add()
                try await untilCancelled()
                return WatchPolicyReply()
            }
        }
        let (second, caller) = (try answering("b"), try buses.caller(["a", "b"]))
        try await Fixture.run([first, caller]) {
            await Fixture.ready(caller, .policy)
            let running = Task { try await caller.call(question("running"), Fixture.context(.seconds(30))) }
            let parked = Task { try await caller.call(WatchPolicy(), Fixture.context(.seconds(30))) }
            await started.reach(2)
            try await Fixture.run([second]) {
                await Fixture.ready(caller, .policy, count: 2)
                let drained = Task { await first.drain() }
                _ = try await parked.value
                let reply = try await caller.call(question("new"), Fixture.context())
                #expect(reply.name == "new")
                release.open()
                let last = try await running.value
                #expect(last.name == "first running")
                await drained.value
            }
        }
    }

    @Test("a drain ends although a handler never does")
    func stubborn() async throws {
        var limits = Fixture.limits()
        limits.drainTimeout = .milliseconds(100)
        let (started, never) = (Tally(), Latch())
        let worker = try buses.worker(limits: limits) { routes in
            routes.on(AuthenticateToken.self) { _, _ in
                started.add()
                await never.wait()
                return AuthenticateTokenReply()
            }
        }
        let caller = try buses.caller()
        try await Fixture.run([worker, caller]) {
            let call = Task { try await caller.call(question(""), Fixture.context(.seconds(30))) }
            await started.reach(1)
            await worker.drain()
            call.cancel()
            _ = await failure { _ = try await call.value }
        }
        never.open()
    }

    @Test("calls that wait when the bus stops, and calls after that, are told so")
    func stopped() async throws {
        let caller = try buses.caller()
        try await Fixture.run([caller]) {
            let code = Task {
                await failure { _ = try await caller.call(question(""), Fixture.context(.seconds(30))) }?.code
            }
            await caller.drain()
            #expect(await code.value == .unavailable)
            #expect(await failure { _ = try await caller.call(question(""), Fixture.context()) }?.code == .unavailable)
        }
    }

    @Test("the metrics hear again and again what runs, who is connected and what waits")
    func figures() async throws {
        let (running, idle, release) = (Tally(), Tally(), Latch())
        let hear: @Sendable (BusEvent) -> Void = { event in
            guard case .figures(let figures) = event, figures.callers == 1 else { return }
            if figures.running == 1 { running.add() } else if running.count > 0 { idle.add() }
        }
        var limits = Fixture.limits()
        limits.figuresInterval = .milliseconds(5)
        let worker = try buses.worker(limits: limits, metrics: hear) { routes in
            routes.on(IssueToken.self) { _, _ in
                await release.wait()
                return IssueTokenReply()
            }
        }
        let caller = try buses.caller()
        try await Fixture.run([worker, caller]) {
            async let reply = caller.call(IssueToken(), Fixture.context())
            await running.reach(2)
            release.open()
            _ = try await reply
            await idle.reach(1)
        }
    }

    @Test("a retry with the same id joins the execution that runs")
    func join() async throws {
        let (started, joined, release) = (Tally(), Tally(), Latch())
        let count: @Sendable (BusEvent) -> Void = { if case .joinedRequest = $0 { joined.add() } }
        let worker = try buses.worker(metrics: count) { routes in
            routes.on(IssueToken.self) { _, _ in
                started.add()
                await release.wait()
                return IssueTokenReply()
            }
        }
        let (one, other) = (try buses.caller(), try buses.caller())
        try await Fixture.run([worker, one, other]) {
            let context = Fixture.context()
            async let first = one.call(IssueToken(), context)
            await started.reach(1)
            async let second = other.call(IssueToken(), context)
            await joined.reach(1)
            release.open()
            _ = try await first
            _ = try await second
            #expect(started.count == 1)
        }
    }
}
