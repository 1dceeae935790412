import Domain
import SwiftProtobuf
import Synchronization
import Testing
import Wire

@testable import Messaging

@Suite("Callees by name", .timeLimit(.minutes(1)))
struct NamedCalleesTests {
    private let keys = TemporaryFolder()

    private func worker(_ address: Endpoint, asked: Tally) throws -> MessageBus {
        var routes = Routes(service: .policy)
        routes.on(AuthenticateToken.self) { request, _ in
            asked.add()
            return AuthenticateTokenReply.with { $0.name = request.tenant }
        }
        return try MessageBus(
            try Fixture.configuration(
                .policy, bind: ["\(address)"],
                security: .curve(try CurveKeys.load(folder: keys.path, service: .policy))),
            routes: routes, logger: Fixture.logger())
    }

    private func caller(_ name: String, lookUp: @escaping @Sendable (Endpoint) -> [Endpoint]) throws -> MessageBus {
        var limits = Fixture.limits()
        limits.resolveInterval = .milliseconds(20)
        return try MessageBus(
            try Fixture.configuration(
                .gateway, callees: [.policy: [name]],
                security: .curve(try CurveKeys.load(folder: keys.path, service: .gateway)), limits: limits),
            logger: Fixture.logger(), lookUp: lookUp)
    }

    @Test("an address that a name gains is taken up, one that it loses is left, and no call fails meanwhile")
    func changing() async throws {
        let port = Int.random(in: 20_000..<32_000)
        let (one, two) = (try Endpoint("tcp://127.0.0.2:\(port)"), try Endpoint("tcp://127.0.0.3:\(port)"))
        let (first, second, answered, over) = (Tally(), Tally(), Tally(), Tally())
        let addresses = Mutex([one])
        let workers = [try worker(one, asked: first), try worker(two, asked: second)]
        let caller = try caller("tcp://policy.invalid:\(port)") { _ in addresses.withLock(\.self) }
        try await Fixture.run(workers + [caller]) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        while over.count == 0 {
                            let reply = try await caller.call(question("x"), Fixture.context())
                            #expect(reply.name == "x")
                            answered.add()
                        }
                    }
                }
                await answered.reach(50)
                #expect(second.count == 0)

                addresses.withLock { $0 = [one, two] }
                await second.reach(50)

                addresses.withLock { $0 = [two] }
                for await instances in caller.instances(of: .policy) where instances.count == 1 { break }
                // What the first one had been given by then it has answered after these.
                await answered.reach(answered.count + 100)
                let given = first.count
                await answered.reach(answered.count + 100)
                #expect(first.count == given)
                over.add()
                try await group.waitForAll()
            }
        }
    }

    @Test("a name stands for its addresses, with the end point's port, and one that there is not for none")
    func addresses() throws {
        let named = LookUps.addresses(of: try Endpoint("tcp://localhost:20000"))
        #expect(named.contains(try Endpoint("tcp://127.0.0.1:20000")))
        #expect(named.allSatisfy(LookUps.isAddress))
        #expect(Set(named).count == named.count)
        // No label may be longer than 63 bytes (RFC 1035 section 2.3.4), so that nobody is asked.
        #expect(LookUps.addresses(of: try Endpoint("tcp://\(String(repeating: "x", count: 64)):20000")).isEmpty)
    }
}
