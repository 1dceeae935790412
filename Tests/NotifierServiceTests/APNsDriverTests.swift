import Domain
import Foundation
import PushDouble
import TestSupport
import Testing

@testable import NotifierService

@Suite("Through APNs", .timeLimit(.minutes(1)))
struct APNsDriverTests {
    @Test("a wake-up is taken, with every header that the request needs")
    func delivered() async throws {
        let apns = try await APNsBench()
        #expect(await apns.send() == .delivered)
        let request = try #require(apns.server.requests.first)
        #expect(request.path == "/3/device/\(APNsBench.token)")
        #expect(request.header("apns-topic") == "org.example.app")
        #expect(request.header("apns-push-type") == "alert")
        #expect(request.header("apns-priority") == "10")
        #expect(request.header("apns-expiration") == "1750000060")
        #expect(request.header("apns-collapse-id") == apns.bench.wakeUp().collapseID)
        #expect(request.header("apns-id").map { UUID(uuidString: $0) != nil } == true)
        #expect(request.header("content-encoding") == nil)
        await apns.stop()
    }

    @Test("nothing that is sent says whose request it is")
    func opaque() async throws {
        let apns = try await APNsBench()
        #expect(await apns.send() == .delivered)
        let request = try #require(apns.server.requests.first)
        let seen = request.headers.map(\.value).joined(separator: "\n") + String(decoding: request.body, as: UTF8.self)
        for secret in ["demo", "device-1"] { #expect(!seen.contains(secret)) }
        await apns.stop()
    }

    @Test("many wake-ups share one connection and one token")
    func multiplexed() async throws {
        let apns = try await APNsBench()
        #expect(await apns.send() == .delivered)
        await withTaskGroup(of: PushOutcome.self) { group in
            for number in 0..<50 { group.addTask { await apns.send("challenge-\(number)") } }
            for await outcome in group { #expect(outcome == .delivered) }
        }
        #expect(apns.double.delivered == 51)
        #expect(apns.server.connections == 1)
        #expect(Set(apns.server.requests.compactMap { $0.header("authorization") }).count == 1)
        await apns.stop()
    }

    @Test("a token is used for forty minutes, then made anew, and APNs takes it")
    func tokenAge() async throws {
        let apns = try await APNsBench()
        for pause in [0, 2399, 1, 2400] as [Int64] {
            apns.bench.clock.advance(.seconds(pause))
            #expect(await apns.send() == .delivered)
        }
        let tokens = apns.server.requests.compactMap { $0.header("authorization") }
        #expect(tokens[0] == tokens[1] && tokens[1] != tokens[2] && tokens[2] != tokens[3])
        await apns.stop()
    }

    @Test(
        "a token that is called too old is replaced at once when it is twenty minutes old, and kept when it is younger")
    func expiredToken() async throws {
        let apns = try await APNsBench()
        let refusal = Fault.refuse(DoubleReply(403, body: #"{"reason":"ExpiredProviderToken"}"#))
        #expect(await apns.send() == .delivered)
        apns.server.fail(refusal)
        #expect(await apns.send() == .configuration)
        apns.bench.clock.advance(.seconds(1300))
        apns.server.fail(refusal)
        #expect(await apns.send() == .delivered)
        #expect(Set(apns.server.requests.compactMap { $0.header("authorization") }).count == 2)
        await apns.stop()
    }

    @Test("a token that APNs calls made too soon gives way to the one before it")
    func tooManyTokens() async throws {
        let apns = try await APNsBench()
        #expect(await apns.send() == .delivered)
        // It was ahead, and is right now: the first token is of the future.
        apns.bench.clock.advance(.seconds(-30))
        #expect(await apns.send() == .retry(after: .seconds(60)))
        #expect(await apns.send() == .delivered)
        let tokens = apns.server.requests.compactMap { $0.header("authorization") }
        #expect(tokens[0] != tokens[1] && tokens[0] == tokens[2])
        await apns.stop()
    }

    @Test(
        "an application that is not installed any more, a wrong address, a wrong topic and a wrong key have their names"
    )
    func refused() async throws {
        let apns = try await APNsBench()
        apns.double.unregister(APNsBench.token)
        #expect(await apns.send() == .expiredAddress)
        #expect(await apns.send(to: Redacted(Array(#"{"token":"0a0b"}"#.utf8))) == .foreignAddress)
        await apns.stop()
        let otherTopic = try await APNsBench(topic: "org.example.other")
        #expect(await otherTopic.send() == .configuration)
        await otherTopic.stop()
        let otherKey = try await APNsBench(knowsKey: false)
        #expect(await otherKey.send() == .configuration)
        await otherKey.stop()
    }

    @Test("an address that is another's is dropped once the account has delivered; before, our settings may be wrong")
    func foreign() async throws {
        let apns = try await APNsBench()
        func drops(_ reason: String) async -> Bool {
            apns.server.fail(.refuse(DoubleReply(400, body: #"{"reason":"\#(reason)"}"#)))
            let report = await apns.driver.send(apns.bench.wakeUp(), to: APNsBench.address)
            #expect(report.outcome == .foreignAddress && report.reason == reason)
            return report.dropsAddress
        }
        // What goes to a phone's own topic does not say that ours is right.
        let own = Redacted(Array(#"{"token":"\#(APNsBench.token)","topic":"org.example.app"}"#.utf8))
        #expect(await apns.send(to: own) == .delivered)
        for reason in ["BadDeviceToken", "DeviceTokenNotForTopic"] { #expect(await !drops(reason)) }
        #expect(await apns.send() == .delivered)
        for reason in ["BadDeviceToken", "DeviceTokenNotForTopic"] { #expect(await drops(reason)) }
        await apns.stop()
    }

    @Test("what is refused of one request closes the way to no other phone, and a key that is refused to all")
    func refusedAccount() async throws {
        let apns = try await APNsBench()
        for (status, reason) in [(400, "TopicDisallowed"), (404, "BadPath"), (405, "MethodNotAllowed")] {
            for _ in 0..<6 {
                apns.server.fail(.refuse(DoubleReply(status, body: #"{"reason":"\#(reason)"}"#)))
                #expect(await apns.send() == .configuration)
            }
        }
        #expect(await apns.send() == .delivered)
        for _ in 0..<5 {
            apns.server.fail(.refuse(DoubleReply(403, body: #"{"reason":"InvalidProviderToken"}"#)))
            #expect(await apns.send() == .configuration)
        }
        #expect(await apns.send() == .paused(after: .seconds(1)))
        await apns.stop()
    }

    @Test("what is no device token never becomes a path", arguments: ["../../token", "0a/../", "", "0a?b", "é"])
    func path(token: String) async throws {
        let apns = try await APNsBench()
        #expect(await apns.send(to: Redacted(Array(#"{"token":"\#(token)"}"#.utf8))) == .expiredAddress)
        #expect(apns.server.requests.isEmpty)
        await apns.stop()
    }

    @Test(
        "a request that a connection's end interrupts goes over another one",
        arguments: [Fault.goAway(reason: "Shutdown"), .close, .reset])
    func interrupted(fault: Fault) async throws {
        let apns = try await APNsBench()
        #expect(await apns.send() == .delivered)
        apns.server.fail(fault)
        #expect(await apns.send() == .delivered)
        #expect(apns.double.delivered == 2)
        #expect(apns.server.connections == (fault == .reset ? 1 : 2))
        await apns.stop()
    }

    @Test("a connection that APNs takes out of use answers what it has taken, and the next request goes over another")
    func draining() async throws {
        let apns = try await APNsBench()
        #expect(await apns.send() == .delivered)
        apns.server.fail(.delay(milliseconds: 200), .drain)
        let earlier = Task { await apns.send("earlier") }
        while apns.server.requests.count < 2 { await Task.yield() }
        #expect(await apns.send("last") == .delivered)
        #expect(await apns.send("next") == .delivered)
        #expect(await earlier.value == .delivered)
        #expect(apns.double.delivered == 4)
        let connections = apns.server.requests.map(\.connection)
        #expect(connections[..<3].allSatisfy { $0 == connections[0] } && connections[3] != connections[0])
        await apns.stop()
    }

    @Test("one whose connection is given up under way may have been taken: it has been tried once")
    func givenUp() async throws {
        let apns = try await APNsBench()
        apns.server.fail(.delay(milliseconds: nil))
        let attempt = Task { await apns.send() }
        while apns.server.requests.isEmpty { await Task.yield() }
        await apns.driver.shutdown()
        #expect(await attempt.value == .retry(after: .seconds(1)))
        #expect(await apns.send() == .paused(after: .zero))
        await apns.stop()
    }

    @Test("one that is interrupted again and again is tried later")
    func interruptedOften() async throws {
        let apns = try await APNsBench()
        apns.server.fail(.reset, .reset, .reset)
        #expect(await apns.send() == .retry(after: .seconds(1)))
        #expect(await apns.send() == .delivered)
        await apns.stop()
    }

    @Test("a provider that limits is left alone as long as it says")
    func throttled() async throws {
        let apns = try await APNsBench()
        apns.server.fail(
            .refuse(DoubleReply(429, headers: ["retry-after": "7"], body: #"{"reason":"TooManyRequests"}"#)),
            .refuse(DoubleReply(500, body: #"{"reason":"InternalServerError"}"#)))
        #expect(await apns.send() == .throttled(after: .seconds(7)))
        #expect(await apns.send() == .retry(after: .seconds(1)))
        await apns.stop()
    }

    @Test("a word of APNs' that all want to be left alone is believed at once, and one device's is that device's")
    func heldBack() async throws {
        let apns = try await APNsBench()
        apns.server.fail(
            .refuse(apns.double.throttled(retryAfter: 7)),
            .refuse(
                DoubleReply(503, headers: ["retry-after": "7"], body: #"{"reason":"ServiceUnavailable"}"#)))
        #expect(await apns.send() == .throttled(after: .seconds(7)))
        #expect(await apns.send() == .retry(after: .seconds(7), holdsBack: true))
        #expect(await apns.send() == .paused(after: .seconds(7)))
        #expect(apns.server.requests.count == 2)
        apns.bench.clock.advance(.seconds(7))
        #expect(await apns.send() == .delivered)
        await apns.stop()
    }

    @Test("an address that the phone has registered since APNs gave it up is told from one that it has not")
    func reregistered() async throws {
        let apns = try await APNsBench()
        // The double gives up at the time of its clock.
        apns.double.unregister(APNsBench.token)
        func outcome(_ difference: Int64) async -> PushOutcome {
            let time = apns.bench.clock.now.milliseconds + difference
            return await apns.send(
                to: Redacted(Array(#"{"registeredAt":\#(time),"token":"\#(APNsBench.token)"}"#.utf8)))
        }
        #expect(await outcome(-1) == .expiredAddress)
        #expect(await outcome(1) == .reregisteredAddress)
        await apns.stop()
    }

    @Test("a wake-up that waits for its answer delays no other")
    func delayed() async throws {
        let apns = try await APNsBench()
        apns.server.fail(.delay(milliseconds: nil))
        let slow = Task { await apns.send("slow") }
        while apns.server.requests.isEmpty { await Task.yield() }
        #expect(await apns.send() == .delivered)
        slow.cancel()
        #expect(await slow.value == .timeout)
        #expect(apns.server.connections == 1)
        await apns.stop()
    }

    @Test("a provider that is away is asked five times, then left alone, then asked by one again")
    func away() async throws {
        let apns = try await APNsBench()
        await apns.server.stop()
        for _ in 0..<5 { #expect(await apns.send() == .unreachable) }
        #expect(await apns.send() == .paused(after: .seconds(1)))
        apns.bench.clock.advance(.seconds(1))
        #expect(await apns.send() == .unreachable)
        #expect(await apns.send() == .paused(after: .seconds(2)))
        await apns.driver.shutdown()
    }
}
