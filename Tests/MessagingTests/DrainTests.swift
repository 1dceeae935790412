import Dispatch
import Domain
import SwiftProtobuf
import Testing
import Wire

@testable import Messaging

@Suite("Parked requests in a drain", .timeLimit(.minutes(1)))
struct DrainTests {
    private let session = SessionID(rawValue: 1)

    private func worker(_ method: Method, now: ContinuousClock.Instant) -> WorkerMachine {
        var worker = WorkerMachine(methods: [method.id: method], limits: BusLimits(), now: now)
        worker.hello(session, caller: .gateway, at: now)
        let request = WorkerMachine.Request(
            sequence: Sequence.parkedBit | 1, requestID: RequestID(high: 0, low: 1), method: method.id,
            deadline: now + .seconds(60), bodyDigest: 0)
        worker.request(request, from: session, at: now)
        return worker
    }

    @Test("one that has an effect is stopped, keeps the socket open for its reply, and is not called unexecuted")
    func effect() {
        let now = ContinuousClock.now
        var worker = worker(Redeem.method, now: now)
        guard case .start(let key)? = worker.takeEffects().last else {
            return #expect(Bool(false), "it does not start")
        }
        worker.drain(at: now)
        #expect(worker.takeEffects() == [.goAway(session, lastSequence: 0), .stop(key)])
        worker.finished(key)
        let id = RequestID(high: 0, low: 1)
        #expect(
            worker.takeEffects() == [
                .reply(session, sequence: Sequence.parkedBit | 1, method: Redeem.method.id, id), .drained,
            ])
    }

    @Test("one that reads is sent elsewhere")
    func read() {
        let now = ContinuousClock.now
        var worker = worker(AwaitOutcome.method, now: now)
        guard case .start(let key)? = worker.takeEffects().last else {
            return #expect(Bool(false), "it does not start")
        }
        worker.drain(at: now)
        let effects = worker.takeEffects()
        #expect(effects.contains(.stop(key)))
        #expect(effects.contains { if case .nack(_, _, _, _, .draining) = $0 { true } else { false } })
    }

    @Test("its reply reaches a caller that is slow to look: the callee does not close before that one has")
    func slowCaller() async throws {
        let (folder, started, stalled) = (TemporaryFolder(), Tally(), Tally())
        var routes = Routes(service: .challenge)
        routes.on(Redeem.self) { _, _ in
            started.add()
            try await untilCancelled()
            return RedeemReply()
        }
        let endpoint = "ipc://\(folder.path)/challenge"
        let worker = try MessageBus(
            try Fixture.configuration(.challenge, bind: [endpoint]), routes: routes, logger: Fixture.logger())
        let never = DispatchSemaphore(value: 0)
        let caller = try MessageBus(
            try Fixture.configuration(.gateway, callees: [.challenge: [endpoint]]), logger: Fixture.logger()
        ) { event in
            guard case .failed = event else { return }
            stalled.add()
            // On the thread that serves the sockets: reply and end of the connection would arrive as one.
            _ = never.wait(timeout: .now() + .milliseconds(400))
        }
        try await Fixture.run([worker, caller]) {
            // A call to one instance is never repeated, so that its reply is the answer.
            let instance = try #require(await Fixture.ready(caller, .challenge).first)
            let call = Task {
                await failure { _ = try await caller.call(Redeem(), at: instance, Fixture.context(.seconds(20))) }
            }
            await started.reach(1)
            let late = Task {
                await failure { _ = try await caller.call(AwaitOutcome(), Fixture.context(.seconds(-1))) }
            }
            await stalled.reach(1)
            await worker.drain()
            let error = await call.value
            _ = await late.value
            #expect(error?.detail == "the request was stopped")
            #expect(error?.isOutcomeUnknown == true)
        }
    }

    @Test("its caller hears at once that the outcome is unknown, and the drain waits for nothing else")
    func reply() async throws {
        var limits = Fixture.limits()
        limits.drainTimeout = .seconds(20)
        let (folder, started) = (TemporaryFolder(), Tally())
        var routes = Routes(service: .challenge)
        routes.on(Redeem.self) { _, _ in
            started.add()
            try await untilCancelled()
            return RedeemReply()
        }
        let endpoint = "ipc://\(folder.path)/challenge"
        let worker = try MessageBus(
            try Fixture.configuration(.challenge, bind: [endpoint], limits: limits), routes: routes,
            logger: Fixture.logger())
        let caller = try MessageBus(
            try Fixture.configuration(.gateway, callees: [.challenge: [endpoint]], limits: limits),
            logger: Fixture.logger())
        let begin = ContinuousClock.now
        try await Fixture.run([worker, caller]) {
            let instance = try #require(await Fixture.ready(caller, .challenge).first)
            let call = Task {
                await failure { _ = try await caller.call(Redeem(), at: instance, Fixture.context(.seconds(50))) }
            }
            await started.reach(1)
            await worker.drain()
            #expect(await call.value?.isOutcomeUnknown == true)
        }
        #expect(ContinuousClock.now - begin < .seconds(15))
    }

    @Test("with another instance the stopped request is asked of that one, under its id, and nobody hears of the drain")
    func elsewhere() async throws {
        let (folder, started) = (TemporaryFolder(), Tally())
        func instance(_ name: String, _ answer: @escaping @Sendable (RequestID) async throws -> RedeemReply) throws
            -> MessageBus
        {
            var routes = Routes(service: .challenge)
            routes.on(Redeem.self) { _, context in try await answer(context.call.requestID) }
            return try MessageBus(
                try Fixture.configuration(.challenge, bind: ["ipc://\(folder.path)/\(name)"]), routes: routes,
                logger: Fixture.logger())
        }
        let first = try instance("first") { _ in
            started.add()
            try await untilCancelled()
            return RedeemReply()
        }
        let second = try instance("second") { id in RedeemReply.with { $0.username = "\(id)" } }
        let caller = try MessageBus(
            try Fixture.configuration(
                .gateway, callees: [.challenge: ["ipc://\(folder.path)/first", "ipc://\(folder.path)/second"]]),
            logger: Fixture.logger())
        try await Fixture.run([first, caller]) {
            let context = Fixture.context(.seconds(50))
            let call = Task { try await caller.call(Redeem(), context) }
            await started.reach(1)
            try await Fixture.run([second]) {
                await Fixture.ready(caller, .challenge, count: 2)
                await first.drain()
                let reply = try await call.value
                #expect(reply.username == "\(context.requestID)")
            }
        }
    }
}
