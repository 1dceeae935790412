import Domain
import PushDouble
import Telemetry
import TestSupport
import Testing

@testable import NotifierService

@Suite("Doubles of the providers as they fail", .timeLimit(.minutes(1)))
struct DoubleTests {
    @Test("APNs takes so many a second, says for how long it takes no more, and then takes them again")
    func apnsThrottles() async throws {
        let apns = try await APNsBench()
        apns.server.limit(to: 2)
        #expect(await apns.send() == .delivered)
        #expect(await apns.send() == .delivered)
        #expect(await apns.send() == .throttled(after: .seconds(1)))
        apns.bench.clock.advance(.seconds(1))
        #expect(await apns.send() == .delivered)
        apns.server.limit(to: nil)
        for _ in 0..<5 { #expect(await apns.send() == .delivered) }
        await apns.stop()
    }

    @Test("FCM's quota and a push service's limit are waited for as long as they say")
    func othersThrottle() async throws {
        let fcm = try await FCMBench()
        #expect(await fcm.send() == .delivered)
        fcm.server.limit(to: 1)
        fcm.bench.clock.advance(.seconds(1))
        #expect(await fcm.send() == .delivered)
        #expect(await fcm.send() == .retry(after: .seconds(1), holdsBack: true))
        await fcm.stop()
        let push = try await WebPushBench()
        let subscription = push.double.subscribe()
        push.server.limit(to: 1)
        #expect(await push.send(to: subscription) == .delivered)
        #expect(await push.send(to: subscription) == .throttled(after: .seconds(1)))
        await push.stop()
    }

    @Test(
        "a fault for one of so many requests is met by another request of the same attempt",
        arguments: [Fault.reset, .goAway(reason: "Shutdown"), .close])
    func regularly(fault: Fault) async throws {
        let apns = try await APNsBench()
        apns.server.fail(fault, every: 3)
        for _ in 0..<9 { #expect(await apns.send() == .delivered) }
        #expect(apns.double.delivered == 9)
        await apns.stop()
    }

    @Test("a provider that cannot take any for now is asked again later")
    func unavailable() async throws {
        let apns = try await APNsBench()
        apns.server.fail(.refuse(apns.double.unavailable), every: 1)
        #expect(await apns.send() == .retry(after: .seconds(1)))
        await apns.stop()
        let fcm = try await FCMBench()
        #expect(await fcm.send() == .delivered)
        fcm.server.fail(.refuse(fcm.double.unavailable))
        #expect(await fcm.send() == .retry(after: .seconds(1)))
        await fcm.stop()
        let push = try await WebPushBench()
        push.server.fail(.refuse(push.double.unavailable))
        #expect(await push.send(to: push.double.subscribe()) == .retry(after: .seconds(1)))
        await push.stop()
    }

    @Test("an answer that is late is waited for")
    func delays() async throws {
        let apns = try await APNsBench()
        apns.server.fail(.delay(milliseconds: 20), every: 1)
        #expect(await apns.send() == .delivered)
        await apns.stop()
    }
}

@Suite("How many breakers are open", .timeLimit(.minutes(1)))
struct BreakerCountTests {
    @Test("a provider counts from its fifth failure to its first answer, and not after it is gone")
    func counts() async throws {
        let registry = MetricsRegistry()
        let clock = HandClock(Timestamp(seconds: 1_750_000_000))
        var settings = ProviderSettings(now: { clock.now })
        settings.breakers = BreakerCount(registry)
        func isOpen(_ count: Int) -> Bool {
            registry.exposition().contains("countersign_push_breakers_open{transport=\"fcm\"} \(count)\n")
        }
        var gates = [ProviderGate(.fcm, settings), ProviderGate(.fcm, settings)]
        #expect(isOpen(0))
        for _ in 0..<20 { _ = await gates[0].attempt { PushReport(.configuration, status: 400, reason: "BadTopic") } }
        #expect(isOpen(0))
        // A service account that is refused is refused for every phone (RFC 6749 section 5.2 makes it a 400).
        let accounts = ProviderGate(.fcm, settings)
        for _ in 0..<5 {
            _ = await accounts.attempt {
                PushReport(.configuration, status: 400, reason: "invalid_grant", refusesAccount: true)
            }
        }
        #expect(!accounts.isClosed && isOpen(1))
        clock.advance(.seconds(1))
        _ = await accounts.attempt { PushReport(.delivered) }
        #expect(isOpen(0))
        for gate in gates { for _ in 0..<5 { _ = await gate.attempt { PushReport(.timeout) } } }
        #expect(isOpen(2))
        clock.advance(.seconds(1))
        _ = await gates[0].attempt { PushReport(.delivered) }
        #expect(isOpen(1))
        gates = []
        #expect(isOpen(0))
    }
}
