import Domain
import Foundation
import NotifierService
import PushDouble
import TestSupport
import Testing

@Suite("Through FCM", .timeLimit(.minutes(1)))
struct FCMDriverTests {
    @Test("messages are taken under one access token, however many begin at once")
    func delivered() async throws {
        let fcm = try await FCMBench()
        await withTaskGroup(of: PushOutcome.self) { group in
            for _ in 0..<50 { group.addTask { await fcm.send() } }
            for await outcome in group { #expect(outcome == .delivered) }
        }
        #expect(fcm.double.delivered == 50)
        #expect(fcm.double.tokensGiven == 1)
        await fcm.stop()
    }

    @Test("an access token is asked for anew five minutes before its end")
    func tokenAge() async throws {
        let fcm = try await FCMBench()
        for (pause, tokens) in [(0, 1), (3299, 1), (1, 2)] as [(Int64, Int)] {
            fcm.bench.clock.advance(.seconds(pause))
            #expect(await fcm.send() == .delivered)
            #expect(fcm.double.tokensGiven == tokens)
        }
        await fcm.stop()
    }

    @Test("an access token of a clock that has been set back is asked for anew")
    func setBack() async throws {
        let fcm = try await FCMBench()
        #expect(await fcm.send() == .delivered)
        fcm.bench.clock.advance(.seconds(-60))
        #expect(await fcm.send() == .delivered)
        #expect(fcm.double.tokensGiven == 1)
        fcm.bench.clock.advance(.seconds(-1))
        #expect(await fcm.send() == .delivered)
        #expect(fcm.double.tokensGiven == 2)
        await fcm.stop()
    }

    @Test("an access token that was withdrawn is replaced at once")
    func withdrawn() async throws {
        let fcm = try await FCMBench()
        #expect(await fcm.send() == .delivered)
        fcm.double.withdrawTokens()
        #expect(await fcm.send() == .delivered)
        #expect(fcm.double.tokensGiven == 2)
        await fcm.stop()
    }

    @Test("a token endpoint that is busy when a token was withdrawn is no wrong account: the wake-up is put off")
    func withdrawnWhileBusy() async throws {
        let fcm = try await FCMBench()
        #expect(await fcm.send() == .delivered)
        fcm.double.withdrawTokens()
        fcm.double.answerTokens { DoubleReply(503) }
        #expect(await fcm.send() == .retry(after: .seconds(1)))
        fcm.double.answerTokens { DoubleReply(429) }
        #expect(await fcm.send() == .retry(after: .seconds(60)))
        // The withdrawn one was not sent again.
        #expect(fcm.server.requests.map(\.path).filter { $0 == "/token" }.count == 3)
        #expect(fcm.server.requests.count == 5)
        fcm.double.answerTokens { DoubleReply(400, body: #"{"error":"invalid_grant"}"#) }
        #expect(await fcm.send() == .configuration)
        fcm.double.answerTokens(nil)
        #expect(await fcm.send() == .delivered)
        #expect(fcm.double.tokensGiven == 2)
        await fcm.stop()
    }

    @Test("an account that Google does not know is a matter of the settings")
    func unknownAccount() async throws {
        let fcm = try await FCMBench(knowsKey: false)
        #expect(await fcm.send() == .configuration)
        #expect(fcm.double.delivered == 0)
        await fcm.stop()
    }

    @Test("each refusal has its name")
    func refused() async throws {
        let fcm = try await FCMBench()
        fcm.double.unregister("phone-1")
        #expect(await fcm.send() == .expiredAddress)
        fcm.server.fail(
            .refuse(FCMDouble.failure(403, "SENDER_ID_MISMATCH")),
            .refuse(FCMDouble.failure(429, "QUOTA_EXCEEDED", headers: ["retry-after": "17"])),
            .refuse(FCMDouble.failure(401, "THIRD_PARTY_AUTH_ERROR")))
        #expect(await fcm.send() == .foreignAddress)
        #expect(await fcm.send() == .retry(after: .seconds(17)))
        #expect(await fcm.send() == .configuration)
        await fcm.stop()
    }

    @Test("what is no registration token is dropped like one that FCM does not know any more", arguments: ["a b", ""])
    func noToken(token: String) async throws {
        let fcm = try await FCMBench()
        let address = Redacted(Array(#"{"token":"\#(token)"}"#.utf8))
        let report = await fcm.driver.send(fcm.bench.wakeUp(), to: address)
        #expect(report == PushReport(.expiredAddress, status: 400, reason: "INVALID_ARGUMENT"))
        #expect(await fcm.send() == .delivered)
        await fcm.stop()
    }

    @Test("what is refused for one phone's sake closes the way to no other, and an account that is refused to all")
    func refusedAccount() async throws {
        let fcm = try await FCMBench()
        #expect(await fcm.send() == .delivered)
        for _ in 0..<6 {
            fcm.server.fail(.refuse(FCMDouble.failure(401, "THIRD_PARTY_AUTH_ERROR")))
            #expect(await fcm.send() == .configuration)
            fcm.server.fail(.refuse(FCMDouble.failure(400, "INVALID_ARGUMENT")))
            #expect(await fcm.send() == .configuration)
        }
        #expect(await fcm.send() == .delivered)
        for _ in 0..<5 {
            fcm.server.fail(.refuse(DoubleReply(403, body: #"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#)))
            #expect(await fcm.send() == .configuration)
        }
        #expect(await fcm.send() == .paused(after: .seconds(1)))
        await fcm.stop()
    }

    @Test(
        "the project's quota holds back all that the account sends, at once and as long as it says; a device's only that device"
    )
    func quotas() async throws {
        let fcm = try await FCMBench()
        #expect(await fcm.send() == .delivered)
        fcm.server.fail(.refuse(FCMDouble.deviceThrottled("phone-1", retryAfter: 30)))
        #expect(await fcm.send() == .throttled(after: .seconds(30)))
        #expect(await fcm.send() == .delivered)
        let asked = fcm.server.requests.count
        fcm.server.fail(.refuse(fcm.double.throttled(retryAfter: 30)))
        #expect(await fcm.send() == .retry(after: .seconds(30), holdsBack: true))
        fcm.bench.clock.advance(.seconds(10))
        #expect(await fcm.send() == .paused(after: .seconds(20)))
        #expect(fcm.server.requests.count == asked + 1)
        fcm.bench.clock.advance(.seconds(20))
        #expect(await fcm.send() == .delivered)
        await fcm.stop()
    }

    @Test("a message says what is left of its time when it is sent, and is not sent when nothing is")
    func timeLeft() async throws {
        let fcm = try await FCMBench()
        let clock = fcm.bench.clock
        // It is slow.
        fcm.double.answerTokens {
            clock.advance(.seconds(20))
            return nil
        }
        #expect(await fcm.send() == .delivered)
        #expect(try fcm.timesToLive() == ["40s"])
        for lifetime in [60_000, 20_900, 20_000] as [Int64] {
            fcm.double.withdrawTokens()
            let wakeUp = fcm.bench.wakeUp(lifetime: .milliseconds(lifetime))
            let outcome = await fcm.driver.send(wakeUp, to: FCMBench.address).outcome
            let expected: PushOutcome = lifetime > 20_000 ? .delivered : .paused(after: .zero)
            #expect(outcome == expected)
        }
        #expect(try fcm.timesToLive() == ["40s", "60s", "40s", "20s", "0s", "20s"])
        await fcm.stop()
    }

    @Test("a token endpoint that is busy is no wrong account")
    func busyTokenEndpoint() async throws {
        let fcm = try await FCMBench()
        fcm.server.fail(.refuse(DoubleReply(503, headers: ["retry-after": "4"])))
        #expect(await fcm.send() == .retry(after: .seconds(4), holdsBack: true))
        #expect(await fcm.send() == .paused(after: .seconds(4)))
        fcm.bench.clock.advance(.seconds(4))
        #expect(await fcm.send() == .delivered)
        await fcm.stop()
    }
}

extension FCMBench {
    /// Of all messages, in the order in which they came.
    fileprivate func timesToLive() throws -> [String] {
        struct Body: Decodable {
            struct Message: Decodable {
                struct Android: Decodable { let ttl: String }
                let android: Android
            }
            let message: Message
        }
        return try server.requests.filter { $0.path != "/token" }.map { request in
            try JSONDecoder().decode(Body.self, from: Data(request.body)).message.android.ttl
        }
    }
}
