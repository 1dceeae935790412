import Domain
import PushDouble
import TestSupport
import Testing

@testable import NotifierService

@Suite("The line before a provider", .timeLimit(.minutes(1)))
struct RequestLineTests {
    /// As many of these as the line lets go, in their order; each says so once.
    private func entering(_ line: RequestLine, _ count: Int) async -> [Task<Bool, Never>] {
        var tasks: [Task<Bool, Never>] = []
        for _ in 0..<count {
            let before = line.waiting
            let task = Task { await line.enter() }
            tasks.append(task)
            // One after another, so that their order is known.
            while line.waiting == before { await Task.yield() }
        }
        return tasks
    }

    @Test("eight go before a stream is open, and then one more for each stream that opens or ends")
    func moves() async {
        let line = RequestLine()
        for _ in 0..<8 { #expect(await line.enter()) }
        let tasks = await entering(line, 5)
        // All eight get a stream: as many may go as the next places need, which is one.
        for _ in 0..<8 { line.streamOpened() }
        #expect(await tasks[0].value)
        #expect(line.waiting == 4)
        line.streamOpened()
        #expect(await tasks[1].value)
        #expect(line.waiting == 3)
        // A request's end is the end of its stream and of its place, in either order: one more may go, once both have ended.
        line.leave()
        line.streamClosed()
        #expect(line.waiting == 2)
        line.streamOpened()
        #expect(await tasks[2].value)
        for _ in 0..<2 { line.leave() }
        #expect(await tasks[3].value)
        #expect(await tasks[4].value)
    }

    @Test("who gives up leaves the line, and is not let go later")
    func cancelled() async {
        let line = RequestLine()
        for _ in 0..<8 { #expect(await line.enter()) }
        let tasks = await entering(line, 2)
        tasks[0].cancel()
        #expect(await !tasks[0].value)
        line.leave()
        #expect(await tasks[1].value)
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            return await line.enter()
        }
        late.cancel()
        #expect(await !late.value)
        #expect(line.waiting == 0)
    }

    @Test("a connection that is given up lets nobody go any more, neither who waits nor who comes")
    func closed() async {
        let line = RequestLine()
        for _ in 0..<8 { #expect(await line.enter()) }
        let tasks = await entering(line, 2)
        line.close()
        for task in tasks { #expect(await !task.value) }
        #expect(await !line.enter())
        #expect(line.waiting == 0)
    }

    @Test("who asked and gave up soon has asked all the same, but teaches the breaker nothing")
    func soon() async {
        let (clock, time) = (HandClock(Timestamp(seconds: 1_750_000_000)), Duration.seconds(10))
        var provider = ProviderSettings(now: { clock.now })
        provider.timeout = time
        let gate = ProviderGate(.fcm, provider)
        func givenUp(after duration: Duration) async -> PushOutcome {
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return await gate.attempt {
                    clock.advance(duration)
                    return PushReport(.timeout)
                }.outcome
            }
            task.cancel()
            return await task.value
        }
        for _ in 0..<6 { #expect(await givenUp(after: .seconds(4)) == .timeout) }
        #expect(gate.isClosed)
        for _ in 0..<5 { #expect(await givenUp(after: time) == .timeout) }
        #expect(!gate.isClosed)
    }

    @Test("who gets a place when half of the time has passed asks, and who gets one later does not")
    func late() async {
        let clock = HandClock(Timestamp(seconds: 1_750_000_000))
        var provider = ProviderSettings(now: { clock.now })
        provider.timeout = .seconds(10)
        let (gate, connection) = (ProviderGate(.fcm, provider), ProviderConnection(provider))
        func outcome(waiting duration: Duration) async -> PushOutcome {
            for _ in 0..<8 { #expect(await connection.line.enter()) }
            let attempt = Task {
                await gate.attempt(over: connection) { PushReport(.delivered) }.outcome
            }
            while connection.line.waiting == 0 { await Task.yield() }
            clock.advance(duration)
            for _ in 0..<8 { connection.line.leave() }
            return await attempt.value
        }
        #expect(await outcome(waiting: .seconds(5)) == .delivered)
        #expect(await outcome(waiting: .milliseconds(5001)) == .paused(after: .zero))
        #expect(await connection.line.enter())
        await connection.shutdown()
    }

    @Test("more at once than the provider has streams wait for it longer than connecting may take, and all arrive")
    func streams() async throws {
        let apns = try await APNsBench(streamsMax: 4) { $0.connectTimeout = .seconds(2) }
        apns.server.fail(.delay(milliseconds: 200), every: 1)
        let outcomes = await withTaskGroup(of: PushOutcome.self) { group in
            for number in 0..<80 { group.addTask { await apns.send("challenge-\(number)") } }
            return await group.reduce(into: [PushOutcome: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(outcomes == [.delivered: 80])
        #expect(apns.server.connections == 1)
        await apns.stop()
    }

    @Test("who gives up while waiting for a stream has not asked, and opens no breaker")
    func givenUp() async throws {
        let apns = try await APNsBench(streamsMax: 1)
        apns.server.fail(.delay(milliseconds: nil))
        let held = Task { await apns.send("held") }
        while apns.server.requests.isEmpty { await Task.yield() }
        let waiting = (0..<20).map { number in Task { await apns.send("challenge-\(number)") } }
        while apns.driver.waiting < 19 { await Task.yield() }
        for task in waiting.dropFirst() { task.cancel() }
        var paused = 0
        for task in waiting.dropFirst() where await task.value == .paused(after: .zero) { paused += 1 }
        #expect(paused >= 18)
        held.cancel()
        #expect(await held.value == .timeout)
        #expect(await waiting[0].value == .delivered)
        await apns.stop()
    }
}
