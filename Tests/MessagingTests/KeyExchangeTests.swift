import Glibc
import Testing
import Wire

@testable import Messaging

@Suite("exchanging the keys of a service", .timeLimit(.minutes(1)))
struct KeyExchangeTests {
    private let folder = TemporaryFolder()

    private var exchange: KeyExchange { KeyExchange(.policy, folder: folder.path) }

    private func key() throws -> String { try CurveKeys.load(folder: folder.path, service: .policy).publicKey }

    private func trusted() throws -> [String] {
        try CurveKeys.load(folder: folder.path, service: .gateway).readTrusted().keys.keys(of: .policy)
    }

    @Test("a key is known before it is used, and the one before is known until it is retired")
    func steps() throws {
        let first = try key()
        #expect(try exchange.stage() == .settled)
        try exchange.prepare()
        #expect(try exchange.stage() == .prepared)
        #expect(try key() == first)
        #expect(try trusted().count == 2)
        try exchange.use()
        #expect(try exchange.stage() == .switched)
        let second = try key()
        #expect(second != first)
        #expect(try trusted() == [first, second].sorted())
        try exchange.retire()
        #expect(try exchange.stage() == .settled)
        #expect(try trusted() == [second])
        var status = stat()
        #expect(stat("\(folder.path)/policy.key", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(access("\(folder.path)/policy-next.key", F_OK) != 0)
    }

    @Test("a step out of its order is refused in words, and changes nothing")
    func order() throws {
        #expect(throws: BusError.self) { try exchange.prepare() }
        let first = try key()
        #expect(throws: BusError.self) { try exchange.use() }
        #expect(throws: BusError.self) { try exchange.retire() }
        try exchange.prepare()
        let both = try trusted()
        try exchange.prepare()
        #expect(try trusted() == both)
        #expect(throws: BusError.self) { try exchange.retire() }
        try exchange.use()
        #expect(throws: BusError.self) { try exchange.prepare() }
        #expect(try trusted() == both)
        #expect(both.contains(first))
    }

    @Test("a switch that was cut off is taken again to its end", arguments: 0..<3)
    func interrupted(after steps: Int) throws {
        let first = try key()
        try exchange.prepare()
        let next = try #require(KeyFile.read("\(folder.path)/policy-next.key").key)
        // What `use` does first, as far as it came.
        if steps > 0 { try KeyFile.write(first, to: "\(folder.path)/policy-previous.pub", mode: 0o644) }
        if steps > 1 { try KeyFile.write(next, to: "\(folder.path)/policy.key", mode: 0o600) }
        try exchange.use()
        #expect(try exchange.stage() == .switched)
        let second = try key()
        #expect(try trusted() == [first, second].sorted())
        #expect(KeyFile.read("\(folder.path)/policy.key").key == next)
    }

    @Test("who expects the other of two keys is told from a stranger until the service has one key again")
    func otherKey() async throws {
        let (other, refused) = (Tally(), Tally())
        let keys = try CurveKeys.load(folder: folder.path, service: .policy)
        try exchange.prepare()
        // The caller knows the next key alone, as if it came to a process that has not been restarted.
        let callers = TemporaryFolder()
        let gateway = try CurveKeys.load(folder: callers.path, service: .gateway)
        try KeyFile.write(gateway.publicKey, to: "\(folder.path)/gateway.pub", mode: 0o644)
        let next = try #require(KeyFile.read("\(folder.path)/policy-next.pub").key)
        try KeyFile.write(next, to: "\(callers.path)/policy.pub", mode: 0o644)
        let endpoint = "tcp://127.0.0.1:\(Int.random(in: 20_000..<32_000))"
        var routes = Routes(service: .policy)
        echo(&routes)
        let worker = try MessageBus(
            try Fixture.configuration(.policy, bind: [endpoint], security: .curve(keys)), routes: routes,
            logger: Fixture.logger(),
            metrics: { event in
                switch event {
                case .exchangedKey: other.add()
                case .refusedConnection: refused.add()
                default: break
                }
            })
        let caller = try MessageBus(
            try Fixture.configuration(.gateway, callees: [.policy: [endpoint]], security: .curve(gateway)),
            logger: Fixture.logger())
        try await Fixture.run([worker, caller]) {
            await other.reach(2)
            #expect(refused.count == 0)
            try exchange.use()
            try exchange.retire()
            await refused.reach(1)
        }
    }

    @Test("callers are answered all the while, by a callee with either key; a retired key is refused, and counted")
    func underCalls() async throws {
        let refused = Tally()
        let port = Int.random(in: 20_000..<32_000)
        let endpoints = ["tcp://127.0.0.1:\(port)", "tcp://127.0.0.1:\(port + 1)"]
        func worker(_ endpoint: String, keys: CurveKeys) throws -> MessageBus {
            var routes = Routes(service: .policy)
            echo(&routes)
            return try MessageBus(
                try Fixture.configuration(.policy, bind: [endpoint], security: .curve(keys)), routes: routes,
                logger: Fixture.logger(), metrics: { if case .refusedConnection = $0 { refused.add() } })
        }
        let gateway = try CurveKeys.load(folder: folder.path, service: .gateway)
        let caller = try MessageBus(
            try Fixture.configuration(.gateway, callees: [.policy: endpoints], security: .curve(gateway)),
            logger: Fixture.logger())
        let before = try CurveKeys.load(folder: folder.path, service: .policy)
        let old = try worker(endpoints[0], keys: before)
        try await Fixture.run([old, caller]) {
            _ = try await caller.call(question("first"), Fixture.context())
            try exchange.prepare()
            try exchange.use()
            // One instance with the new key beside one with the old: a rolling restart in its middle.
            let new = try worker(endpoints[1], keys: try CurveKeys.load(folder: folder.path, service: .policy))
            try await Fixture.run([new]) {
                await Fixture.ready(caller, .policy, count: 2)
                for number in 0..<50 {
                    let reply = try await caller.call(question("\(number)"), Fixture.context())
                    #expect(reply.name == "\(number)")
                }
                try exchange.retire()
                for await instances in caller.instances(of: .policy) where instances.count == 1 { break }
                let reply = try await caller.call(question("last"), Fixture.context())
                #expect(reply.name == "last")
                await refused.reach(1)
            }
        }
    }
}
