import Domain
import PushDouble
import TestSupport
import Testing

@testable import NotifierService

@Suite("The connections to a provider", .timeLimit(.minutes(1)))
struct ProviderConnectionTests {
    @Test(
        "what APNs refuses because a connection is at its end goes over another, and what is under way there ends there",
        arguments: [(400, "IdleTimeout"), (503, "Shutdown"), (503, "ServiceUnavailable")])
    func anotherConnection(status: Int, reason: String) async throws {
        let apns = try await APNsBench()
        apns.server.fail(
            .delay(milliseconds: 300), .refuse(DoubleReply(status, body: #"{"reason":"\#(reason)"}"#)))
        let underWay = Task { await apns.send("under way") }
        while apns.server.requests.isEmpty { await Task.yield() }
        #expect(await apns.send() == .delivered)
        #expect(await underWay.value == .delivered)
        #expect(await apns.send() == .delivered)
        #expect(apns.server.requests.map(\.connection) == [1, 1, 2, 2])
        #expect(apns.server.connections == 2)
        await apns.stop()
    }

    @Test("a push service that wants another try at once gets it over another connection")
    func pushService() async throws {
        let push = try await WebPushBench()
        push.server.fail(.refuse(DoubleReply(503, body: #"{"errno":202}"#)))
        #expect(await push.send(to: push.double.subscribe()) == .delivered)
        #expect(push.server.requests.map(\.connection) == [1, 2])
        await push.stop()
    }

    @Test("a wake-up is tried over three connections at most, and the next one goes over another")
    func bounded() async throws {
        let apns = try await APNsBench()
        let refusal = Fault.refuse(DoubleReply(503, body: #"{"reason":"Shutdown"}"#))
        apns.server.fail(refusal, refusal, refusal)
        #expect(await apns.send() == .retry(after: .seconds(1)))
        #expect(apns.server.connections == 3)
        #expect(await apns.send() == .delivered)
        #expect(apns.server.requests.map(\.connection) == [1, 2, 3, 4])
        await apns.stop()
    }

    @Test("a connection on which nothing is heard for as long as a provider has to answer is left for another")
    func silent() async throws {
        let apns = try await APNsBench()
        #expect(await apns.send() == .delivered)
        apns.server.fail(.silence)
        #expect(await apns.givenUp("lost", after: .seconds(50)) == .timeout)
        #expect(await apns.send() == .delivered)
        #expect(apns.server.requests.map(\.connection) == [1, 1, 2])
        await apns.stop()
    }

    @Test("one that gives no sign of life is ended while a request waits, which goes over another at once")
    func dead() async throws {
        let apns = try await APNsBench { $0.silence = .milliseconds(300) }
        #expect(await apns.send() == .delivered)
        apns.server.fail(.silence)
        #expect(await apns.send("lost") == .delivered)
        #expect(apns.server.requests.map(\.connection) == [1, 1, 2])
        await apns.stop()
    }

    @Test("one that is alive is kept, however long its provider takes for an answer")
    func alive() async throws {
        let apns = try await APNsBench { $0.silence = .milliseconds(300) }
        apns.server.fail(.delay(milliseconds: 1500))
        #expect(await apns.send("slow") == .delivered)
        #expect(apns.server.connections == 1 && apns.server.requests.count == 1)
        await apns.stop()
    }

    @Test("one on which others are answered is kept, and so is one whose request was given up soon")
    func slow() async throws {
        let apns = try await APNsBench()
        #expect(await apns.send() == .delivered)
        apns.server.fail(.delay(milliseconds: nil))
        let slow = Task { await apns.send("slow") }
        while apns.server.requests.count < 2 { await Task.yield() }
        #expect(await apns.send() == .delivered)
        apns.bench.clock.advance(.seconds(50))
        slow.cancel()
        #expect(await slow.value == .timeout)
        apns.server.fail(.delay(milliseconds: nil))
        #expect(await apns.givenUp("soon", after: .seconds(39)) == .timeout)
        #expect(await apns.send() == .delivered)
        #expect(apns.server.connections == 1)
        await apns.stop()
    }
}

extension APNsBench {
    /// What becomes of a wake-up that the provider does not answer, and that is given up by and by.
    fileprivate func givenUp(_ challenge: String, after duration: Duration) async -> PushOutcome {
        let before = server.requests.count
        let attempt = Task { await send(challenge) }
        while server.requests.count == before { await Task.yield() }
        bench.clock.advance(duration)
        attempt.cancel()
        return await attempt.value
    }
}
