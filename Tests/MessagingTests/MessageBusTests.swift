import Domain
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@testable import Messaging

@Suite("The bus over ipc sockets", .timeLimit(.minutes(1)))
struct MessageBusTests {
    let buses = PolicyBuses()

    @Test("a call gets its reply, and the handler knows who asked")
    func roundTrip() async throws {
        let (worker, caller) = (try buses.worker(answering: echo), try buses.caller())
        try await Fixture.run([worker, caller]) {
            let reply = try await caller.call(question("contoso"), Fixture.context())
            #expect(reply.name == "contoso")
            #expect(reply.kind == "gateway")
        }
    }

    @Test("an instance that is still preparing gets no call; who waits for it is answered as soon as it is ready")
    func preparing() async throws {
        let (worker, caller) = (try buses.worker(answering: echo), try buses.caller())
        let prepared = Latch()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run { await prepared.wait() } }
            try await Fixture.run([caller]) {
                #expect(
                    await failure { _ = try await caller.call(question(""), Fixture.context(.milliseconds(500))) }?
                        .isOutcomeUnknown == false)
                let call = Task { try await caller.call(question("contoso"), Fixture.context()) }
                prepared.open()
                let reply = try await call.value
                #expect(reply.name == "contoso")
                await worker.drain()
            }
            try await group.waitForAll()
        }
    }

    @Test("ten thousand calls at once each get their own reply")
    func manyCalls() async throws {
        let (worker, caller) = (try buses.worker(answering: echo), try buses.caller())
        try await Fixture.run([worker, caller]) {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<10_000 {
                    group.addTask {
                        try await caller.call(question("\(number)"), Fixture.context(.seconds(30))).name == "\(number)"
                    }
                }
                for try await isOwn in group { #expect(isOwn) }
            }
        }
    }

    @Test("the context crosses: request id, origin, trace and a deadline on the callee's own clock")
    func context() async throws {
        let seen = Mutex<CallContext?>(nil)
        let worker = try buses.worker { routes in
            routes.on(AuthenticateToken.self) { _, context in
                seen.withLock { $0 = context.call }
                return AuthenticateTokenReply()
            }
        }
        let caller = try buses.caller()
        var context = Fixture.context()
        context.originID = RequestID(high: 7, low: 9)
        context.trace = TraceContext(traceHigh: 1, traceLow: 2, span: 3, sampled: true)
        try await Fixture.run([worker, caller]) { [context] in _ = try await caller.call(question(""), context) }
        let received = try #require(seen.withLock { $0 })
        #expect(received.requestID == context.requestID)
        #expect(received.originID == context.originID)
        #expect(received.trace == context.trace)
        #expect(abs(context.deadline.duration(to: received.deadline).milliseconds) < 2_000)
    }

    @Test("a refusal arrives with its code, sentence, members and advice; any other error is internal and says nothing")
    func errors() async throws {
        struct Secret: Error { let text = "do not tell" }
        let refusal = ServiceError(
            .conflict, "it changed", retryAfter: .milliseconds(1_500), members: ["revision": "7"])
        let worker = try buses.worker { routes in
            routes.on(AuthenticateToken.self) { request, _ in
                if request.tenant == "refuse" { throw refusal }
                throw Secret()
            }
        }
        let caller = try buses.caller()
        try await Fixture.run([worker, caller]) {
            let replied = await failure { _ = try await caller.call(question("refuse"), Fixture.context()) }
            #expect(replied == refusal && replied?.isToldElsewhere == true)
            #expect(
                await failure { _ = try await caller.call(question(""), Fixture.context()) } == ServiceError(.internal))
        }
    }

    @Test("who may not ask is refused, and so is a method without a handler")
    func denied() async throws {
        let (worker, stranger, caller) = (
            try buses.worker(answering: echo), try buses.caller(as: .notifier), try buses.caller()
        )
        try await Fixture.run([worker, stranger, caller]) {
            #expect(await failure { _ = try await stranger.call(question(""), Fixture.context()) }?.code == .refused)
            #expect(await failure { _ = try await caller.call(IssueToken(), Fixture.context()) }?.code == .unavailable)
        }
    }

    @Test("beside an instance of an older version, every call of a newer method is answered by the one that knows it")
    func versions() async throws {
        let old = try buses.worker("old", answering: echo)
        let current = try buses.worker("current") { routes in
            echo(&routes)
            routes.on(IssueToken.self) { _, _ in IssueTokenReply.with { $0.token = "of the current one" } }
        }
        let caller = try buses.caller(["old", "current"])
        try await Fixture.run([old, current, caller]) {
            _ = await Fixture.ready(caller, .policy, count: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let token = try await caller.call(IssueToken(), Fixture.context()).token
                        #expect(token == "of the current one")
                    }
                    group.addTask {
                        let name = try await caller.call(question("\(number)"), Fixture.context()).name
                        #expect(name == "\(number)")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a passed deadline ends the call, says that its outcome is unknown, and stops the handler")
    func deadline() async throws {
        let stopped = Tally()
        let (worker, caller) = (try waiting(stopped: stopped), try buses.caller())
        try await Fixture.run([worker, caller]) {
            await Fixture.ready(caller, .policy)
            let error = await failure { _ = try await caller.call(question(""), Fixture.context(.milliseconds(500))) }
            #expect(error?.isOutcomeUnknown == true && error?.isToldElsewhere == true)
            await stopped.reach(1)
        }
    }

    @Test("cancelling the task that waits cancels the handler")
    func cancellation() async throws {
        let (started, stopped) = (Tally(), Tally())
        let (worker, caller) = (try waiting(started: started, stopped: stopped), try buses.caller())
        try await Fixture.run([worker, caller]) {
            let call = Task { try await caller.call(question(""), Fixture.context()) }
            await started.reach(1)
            call.cancel()
            await stopped.reach(1)
            #expect(await failure { _ = try await call.value }?.code == .unavailable)
        }
    }

    @Test("a task that was cancelled before it called gets no answer and sends nothing")
    func cancelledBefore() async throws {
        let started = Tally()
        let (worker, caller) = (try waiting(started: started), try buses.caller())
        try await Fixture.run([worker, caller]) {
            await Fixture.ready(caller, .policy)
            let call = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await caller.call(question(""), Fixture.context())
            }
            #expect(await failure { _ = try await call.value }?.isOutcomeUnknown == false)
            #expect(started.count == 0)
        }
    }

    @Test("a full line refuses at once")
    func overload() async throws {
        var limits = Fixture.limits()
        limits.queuedCallsMax = 2
        let caller = try buses.caller(limits: limits)
        try await Fixture.run([caller]) {
            await withTaskGroup(of: ErrorCode?.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        await failure { _ = try await caller.call(question(""), Fixture.context(.milliseconds(200))) }?
                            .code
                    }
                }
                var codes: [ErrorCode?] = []
                for await code in group { codes.append(code) }
                #expect(codes == [.overloaded, .unavailable, .unavailable])
            }
        }
    }

    @Test("parked calls take no credit: ordinary ones go on beside thousands of them")
    func parked() async throws {
        var limits = Fixture.limits()
        limits.windowMax = 2
        limits.runningMax = 2
        let parked = Tally()
        let worker = try buses.worker(limits: limits) { routes in
            echo(&routes)
            routes.on(WatchPolicy.self) { _, _ in
                parked.add()
                try await untilCancelled()
                return WatchPolicyReply()
            }
        }
        let caller = try buses.caller()
        try await Fixture.run([worker, caller]) {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<2_000 {
                    group.addTask { _ = try? await caller.call(WatchPolicy(), Fixture.context(.seconds(60))) }
                }
                await parked.reach(2_000)
                for number in 0..<20 {
                    let reply = try? await caller.call(question("\(number)"), Fixture.context())
                    #expect(reply?.name == "\(number)")
                }
                group.cancelAll()
            }
        }
    }

    @Test("a call without a configured service, and one to an instance that is not there, fail at once")
    func nobody() async throws {
        let caller = try buses.caller()
        try await Fixture.run([caller]) {
            let missing = await failure { _ = try await caller.call(Notify(), Fixture.context(.seconds(60))) }
            #expect(missing?.code == .unavailable && missing?.isToldElsewhere == false)
            let nobody = InstanceID(rawValue: 1)
            #expect(
                await failure { _ = try await caller.call(question(""), at: nobody, Fixture.context(.seconds(60))) }?
                    .code == .unavailable)
        }
    }

    @Test("a body larger than a frame is refused before it is sent")
    func tooLarge() async throws {
        let caller = try buses.caller()
        let large = question(String(repeating: "x", count: 300_000))
        #expect(await failure { _ = try await caller.call(large, Fixture.context()) }?.code == .tooLarge)
    }

    @Test("a folder that others may open is no place for sockets without CURVE")
    func openFolder() async throws {
        let worker = try MessageBus(
            try Fixture.configuration(.policy, bind: ["ipc:///tmp/countersign-open.sock"]),
            routes: Routes(service: .policy),
            logger: Fixture.logger())
        await #expect(throws: BusError.self) { try await worker.run() }
        #expect(throws: BusError.self) {
            try MessageBus(
                try Fixture.configuration(.gateway, callees: [.policy: ["tcp://127.0.0.1:5000"]]),
                logger: Fixture.logger())
        }
    }

    private func waiting(started: Tally = Tally(), stopped: Tally = Tally()) throws -> MessageBus {
        try buses.worker { routes in
            routes.on(AuthenticateToken.self) { _, _ in
                started.add()
                defer { stopped.add() }
                try await untilCancelled()
                return AuthenticateTokenReply()
            }
        }
    }
}
