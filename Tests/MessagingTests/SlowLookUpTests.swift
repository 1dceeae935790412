import Dispatch
import Domain
import Testing
import Wire

@testable import Messaging

@Suite("Names that take long to look up", .timeLimit(.minutes(1)))
struct SlowLookUpTests {
    @Test("neither binding, nor other services, nor the end of a drain waits for them")
    func slow() async throws {
        let (keys, isAsked) = (TemporaryFolder(), Tally())
        let answer = DispatchSemaphore(value: 0)
        let port = Int.random(in: 20_000..<32_000)
        var routes = Routes(service: .policy)
        echo(&routes)
        let worker = try MessageBus(
            try Fixture.configuration(
                .policy, bind: ["tcp://127.0.0.1:\(port)"], callees: [.notifier: ["tcp://slow.invalid:20000"]],
                security: .curve(try CurveKeys.load(folder: keys.path, service: .policy))),
            routes: routes, logger: Fixture.logger(),
            lookUp: { _ in
                isAsked.add()
                answer.wait()
                return []
            })
        let caller = try MessageBus(
            try Fixture.configuration(
                .gateway, callees: [.policy: ["tcp://127.0.0.1:\(port)"]],
                security: .curve(try CurveKeys.load(folder: keys.path, service: .gateway))),
            logger: Fixture.logger())
        try await Fixture.run([worker, caller]) {
            await isAsked.reach(1)
            let reply = try await caller.call(question("x"), Fixture.context(.seconds(20)))
            #expect(reply.name == "x")
        }
        // Both have drained, and nobody has answered yet.
        answer.signal()
    }

    @Test("a name that cannot be looked up any more keeps its addresses")
    func known() async throws {
        let (name, address) = (try Endpoint("tcp://policy.invalid:20000"), try Endpoint("tcp://127.0.0.1:20000"))
        let first = await LookUps.resolve([name], known: [:]) { _ in [address] }
        #expect(first == [name: [address]])
        let second = await LookUps.resolve([name], known: [name: [address]]) { _ in [] }
        #expect(second == [name: [address]])
    }
}
