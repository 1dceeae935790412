import Domain
import PushDouble
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import NotifierService

@Suite("Through Web Push", .timeLimit(.minutes(1)))
struct WebPushDriverTests {
    @Test("the browser opens the request's opaque id, and nothing else is in it")
    func delivered() async throws {
        let push = try await WebPushBench()
        let subscription = push.double.subscribe(serverKey: push.key.publicKey)
        #expect(await push.send(to: subscription) == .delivered)
        #expect(push.double.opened == [#"{"c":"challenge-1"}"#])
        let request = try #require(push.server.requests.first)
        #expect(request.header("ttl") == "60")
        #expect(request.header("urgency") == "high")
        #expect(request.header("topic") == push.bench.wakeUp().collapseID)
        let seen = request.headers.map(\.value).joined(separator: "\n")
        for secret in ["demo", "device-1", "challenge-1"] { #expect(!seen.contains(secret)) }
        await push.stop()
    }

    @Test("in its last second a push service delivers it now or not at all, and after that it is not asked")
    func lastSecond() async throws {
        let push = try await WebPushBench()
        let address = Redacted(Array(push.double.subscribe().address(at: push.origin).utf8))
        for (left, outcome) in [(900, PushOutcome.delivered), (0, .paused(after: .zero))] as [(Int64, PushOutcome)] {
            let wakeUp = push.bench.wakeUp(lifetime: .milliseconds(left))
            #expect(await push.driver.send(wakeUp, to: address).outcome == outcome)
        }
        #expect(push.server.requests.map { $0.header("ttl") } == ["0"])
        await push.stop()
    }

    @Test("a subscription that is gone, or never was, is dropped")
    func gone() async throws {
        let push = try await WebPushBench()
        let subscription = push.double.subscribe()
        push.double.unsubscribe(subscription)
        #expect(await push.send(to: subscription) == .expiredAddress)
        #expect(await push.send(to: try await WebPushBench.stranger()) == .expiredAddress)
        await push.stop()
    }

    @Test("a subscription of another server's key refuses ours, and is kept")
    func otherKey() async throws {
        let push = try await WebPushBench()
        #expect(await push.send(to: push.double.subscribe()) == .delivered)
        let address = push.double.subscribe(serverKey: "another").address(at: push.origin)
        let report = await push.driver.send(push.bench.wakeUp(), to: Redacted(Array(address.utf8)))
        #expect(report.outcome == .foreignAddress && !report.dropsAddress)
        await push.stop()
    }

    @Test("a push service that limits is left alone as long as it says")
    func busy() async throws {
        let push = try await WebPushBench()
        push.server.fail(
            .refuse(DoubleReply(429, headers: ["retry-after": "30"])),
            .refuse(DoubleReply(503, body: #"{"errno":202}"#)), .refuse(DoubleReply(413)))
        let subscription = push.double.subscribe()
        #expect(await push.send(to: subscription) == .throttled(after: .seconds(30)))
        #expect(await push.send(to: subscription) == .tooLarge)
        #expect(await push.send(to: subscription) == .delivered)
        await push.stop()
    }

    @Test(
        "an answer is what its status says, however much follows, and its connection is kept",
        arguments: [(201, .delivered), (410, .expiredAddress), (413, .tooLarge)] as [(Int, PushOutcome)])
    func longAnswer(status: Int, outcome: PushOutcome) async throws {
        let push = try await WebPushBench()
        let subscription = push.double.subscribe()
        push.server.fail(.refuse(DoubleReply(status, body: String(repeating: "x", count: 200_000))))
        #expect(await push.send(to: subscription) == outcome)
        #expect(await push.send(to: subscription) == .delivered)
        #expect(push.server.requests.map(\.connection) == [1, 1])
        await push.stop()
    }

    @Test("a subscription that nobody listens to now, or that gets too much, closes its push service for nobody else")
    func oneOfMany() async throws {
        let push = try await WebPushBench()
        let (dead, living) = (push.double.subscribe(), push.double.subscribe())
        for status in [507, 507, 507, 507, 429, 429, 429, 429] {
            push.server.fail(.refuse(DoubleReply(status)))
            guard case .throttled = await push.send(to: dead) else {
                Issue.record("\(status) is no answer of one subscription's")
                continue
            }
        }
        #expect(await push.send(to: living) == .delivered)
        await push.stop()
    }

    @Test(
        "whatever a push service says of one address, it closes the way to nobody else's phone",
        arguments: [303, 307, 400, 401, 403, 404, 405, 410, 413, 414])
    func ofOneAddress(status: Int) async throws {
        let push = try await WebPushBench()
        let (odd, living) = (push.double.subscribe(), push.double.subscribe())
        for _ in 0..<6 {
            push.server.fail(.refuse(DoubleReply(status)))
            let outcome = await push.send(to: odd)
            #expect(outcome != .delivered && outcome != .paused(after: .seconds(1)))
        }
        #expect(await push.send(to: living) == .delivered)
        await push.stop()
    }

    @Test("an endpoint outside of the list is not even looked up")
    func notListed() async throws {
        let asked = Mutex<[String]>([])
        let push = try await WebPushBench(hosts: ["push.example"]) { host in
            asked.withLock { $0.append(host) }
            return ["127.0.0.1"]
        }
        #expect(await push.send(to: push.double.subscribe()) == .foreignAddress)
        #expect(asked.withLock(\.self).isEmpty)
        #expect(push.server.connections == 0)
        await push.stop()
    }

    @Test(
        "a name that leads to this machine or its network is not connected to",
        arguments: ["127.0.0.1", "::1", "10.0.0.1"])
    func privateAddress(address: String) async throws {
        let push = try await WebPushBench(blocks: []) { _ in [address] }
        #expect(await push.send(to: push.double.subscribe()) == .unreachable)
        #expect(push.server.connections == 0)
        await push.stop()
    }

    @Test("an address in the endpoint itself is checked like one that was looked up")
    func literal() async throws {
        let push = try await WebPushBench(hosts: ["127.0.0.1"], blocks: [])
        let origin = push.origin.replacing("localhost", with: "127.0.0.1")
        #expect(await push.send(to: push.double.subscribe(), at: origin) == .unreachable)
        #expect(push.server.connections == 0)
        await push.stop()
    }

    @Test(
        "the connection is made to the address that was checked, whatever the name leads to later and however it is spelled",
        arguments: ["push.invalid", "PUSH.Invalid", "%70ush.invalid"])
    func rebinding(host: String) async throws {
        // The system knows no such name: a connection shows that nobody asked it again.
        let push = try await WebPushBench(hosts: ["push.invalid"])
        let origin = push.origin.replacing("localhost", with: host)
        _ = await push.send(to: push.double.subscribe(), at: origin)
        #expect(push.server.connections == 1)
        await push.stop()
    }

    @Test("a driver that is shut down while a name is looked up opens no connection, nor does one that was")
    func shutDown() async throws {
        let (asked, answer) = (ChangeSignal(), ChangeSignal())
        let push = try await WebPushBench { _ in
            asked.advance()
            await answer.wait(past: 0)
            return ["127.0.0.1"]
        }
        let subscription = push.double.subscribe()
        let attempt = Task { await push.send(to: subscription) }
        await asked.wait(past: 0)
        await push.driver.shutdown()
        answer.advance()
        #expect(await attempt.value == .paused(after: .zero))
        #expect(await push.send(to: subscription) == .paused(after: .zero))
        #expect(push.server.connections == 0 && asked.count == 1)
        await push.stop()
    }

    @Test("an old address is looked up once for all who send, and kept when there is no answer for a moment")
    func lookedUp() async throws {
        let asking = Mutex((all: 0, now: 0, most: 0))
        let push = try await WebPushBench { _ in
            let isFirst = asking.withLock { asking in
                asking.all += 1
                asking.now += 1
                asking.most = max(asking.most, asking.now)
                return asking.all == 1
            }
            for _ in 0..<100 { await Task.yield() }
            asking.withLock { $0.now -= 1 }
            return isFirst ? ["127.0.0.1"] : []
        }
        let subscription = push.double.subscribe()
        #expect(await push.send(to: subscription) == .delivered)
        push.bench.clock.advance(.seconds(300))
        let attempts = (0..<20).map { _ in Task { await push.send(to: subscription) } }
        for attempt in attempts { #expect(await attempt.value == .delivered) }
        #expect(asking.withLock { $0.most == 1 && $0.all > 1 })
        #expect(push.server.connections == 1)
        await push.stop()
    }

    @Test("an address at which nothing answers is left for the next of its name's, which is kept")
    func deadAddress() async throws {
        let asked = Mutex(0)
        // Nothing listens at 127.0.0.2 and 127.0.0.3, and 10.0.0.1 may not be connected to.
        let push = try await WebPushBench { _ in
            asked.withLock { $0 += 1 }
            return ["127.0.0.3", "10.0.0.1", "127.0.0.2", "127.0.0.1"]
        }
        let subscription = push.double.subscribe()
        for _ in 0..<3 { #expect(await push.send(to: subscription) == .delivered) }
        push.bench.clock.advance(.seconds(300))
        #expect(await push.send(to: subscription) == .delivered)
        #expect(push.server.connections == 1)
        #expect(asked.withLock(\.self) == 2)
        await push.stop()
    }

    @Test("a service none of whose addresses answers fails once for each wake-up, and no other address is tried")
    func deadAddresses() async throws {
        let push = try await WebPushBench { _ in ["127.0.0.2", "10.0.0.1", "127.0.0.3"] }
        let subscription = push.double.subscribe()
        for _ in 0..<5 { #expect(await push.send(to: subscription) == .unreachable) }
        #expect(await push.send(to: subscription) == .paused(after: .seconds(1)))
        #expect(push.server.connections == 0)
        await push.stop()
    }

    @Test("a push service that is away pauses alone")
    func away() async throws {
        let push = try await WebPushBench()
        let subscription = push.double.subscribe()
        // Nothing listens on port 1 of this machine.
        for _ in 0..<5 { #expect(await push.send(to: subscription, at: "https://localhost:1") == .unreachable) }
        #expect(await push.send(to: subscription, at: "https://localhost:1") == .paused(after: .seconds(1)))
        #expect(await push.send(to: subscription) == .delivered)
        await push.stop()
    }
}

extension WebPushBench {
    /// A subscription of which the push service knows nothing.
    fileprivate static func stranger() async throws -> WebPushBrowser {
        let other = WebPushDouble(now: { 0 })
        return (0..<9).map { _ in other.subscribe() }[8]
    }
}
