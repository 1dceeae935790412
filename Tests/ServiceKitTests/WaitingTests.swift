import ServiceKit
import Testing
import Wire

@Suite("Waiting for a change")
struct WaitingTests {
    @Test("a change between looking and waiting is seen, and one that was seen already wakes nobody")
    func betweenLookingAndWaiting() async {
        let signal = ChangeSignal()
        let seen = signal.count
        signal.advance()
        await signal.wait(past: seen)
        #expect(await signal.wait(past: signal.count, atMost: .milliseconds(1)) == false)
    }

    @Test("a change wakes everyone who waits")
    func everyone() async {
        let signal = ChangeSignal()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { await signal.wait(past: 0) } }
            while signal.waiting < 10 { await Task.yield() }
            signal.advance()
        }
        #expect(signal.waiting == 0)
    }

    @Test("a wait ends when its task is cancelled, before and while it waits")
    func cancelled() async {
        let signal = ChangeSignal()
        let waiting = Task { await signal.wait(past: 0) }
        while signal.waiting < 1 { await Task.yield() }
        waiting.cancel()
        await waiting.value
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            await signal.wait(past: 0)
        }
        late.cancel()
        await late.value
        #expect(signal.waiting == 0)
    }

    @Test("a change of one thing wakes who watches it and nobody else, until all are woken")
    func keyed() async throws {
        let signals = KeyedSignals<String>(watchersMax: 3)
        try await withThrowingTaskGroup(of: String.self) { group in
            for key in ["a", "a", "b"] {
                group.addTask {
                    try await signals.watching(key) { signal in
                        await signal.wait(past: 0)
                        return key
                    }
                }
            }
            while signals.watchers < 3 { await Task.yield() }
            await #expect(throws: ServiceError.self) { try await signals.watching("a") { _ in } }
            signals.advance("c")
            signals.advance("a")
            for _ in 0..<2 {
                let woken = try await group.next()
                #expect(woken == "a")
            }
            signals.advanceAll()
            let last = try await group.next()
            #expect(last == "b")
        }
        #expect(signals.watchers == 0)
        // What nobody watches is kept for nobody.
        try await signals.watching("a") { #expect($0.count == 0) }
    }

    @Test("a change waits for the followers that are there, until each has asked for what comes after it")
    func followers() async {
        let (followers, changes) = (Followers(patience: .seconds(60)), ChangeSignal())
        @Sendable func follow(_ revision: UInt64?) async {
            await followers.following(revision) { await changes.wait(past: 0) }
        }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    await follow(nil)
                    return false
                }
            }
            while changes.waiting < 2 { await Task.yield() }
            let announced = ChangeSignal()
            group.addTask {
                await followers.wait(at: 7) {
                    changes.advance()
                    announced.advance()
                }
                return true
            }
            await announced.wait(past: 0)
            for _ in 0..<2 {
                let isOver = await group.next()
                #expect(isOver == false)
            }
            await follow(7)
            group.addTask {
                await follow(8)
                return false
            }
            let ended = [await group.next(), await group.next()]
            #expect(ended.contains(true) && ended.contains(false))
        }
    }

    @Test("in a process that has just begun a change waits for those who followed the one before it")
    func followersOnTheirWay() async {
        let followers = Followers(arrival: .milliseconds(200))
        followers.expectArrivals()
        let begun = ContinuousClock.now
        await followers.wait(at: 1) {}
        #expect(.now - begun >= .milliseconds(200))
        let later = ContinuousClock.now
        await followers.wait(at: 2) {}
        #expect(.now - later < .milliseconds(200))
    }

    @Test("a change waits for nobody when nobody follows, and not for long for one that does not ask again")
    func followersGone() async {
        let followers = Followers(patience: .milliseconds(1))
        await followers.wait(at: 1) {}
        let changes = ChangeSignal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await followers.following(nil) { await changes.wait(past: 0) } }
            while changes.waiting < 1 { await Task.yield() }
            await followers.wait(at: 2) {}
            changes.advance()
        }
    }
}
