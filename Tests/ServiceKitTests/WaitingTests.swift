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

    @Test("who asks for the same runs one after the other, as they came; who asks for something else, at once")
    func turns() async throws {
        let (turns, held) = (KeyedTurns<String>(waitingMax: 3), ChangeSignal())
        let (order, said) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await turns.inTurn(of: "a") { await held.wait(past: 0) } }
            while held.waiting < 1 { await Task.yield() }
            for number in 1...3 {
                group.addTask { _ = try await turns.inTurn(of: "a") { said.yield(number) } }
                while turns.waiting(for: "a") < number { await Task.yield() }
            }
            await #expect(throws: ServiceError.self) { try await turns.inTurn(of: "a") {} }
            try await turns.inTurn(of: "b") {}
            held.advance()
            try await group.waitForAll()
        }
        said.finish()
        let ran = await order.reduce(into: []) { $0.append($1) }
        #expect(ran == [1, 2, 3])
        try await turns.inTurn(of: "a") {}
    }

    @Test("who is cancelled while it waits leaves its place, and one that throws passes its turn on")
    func turnsThatEnd() async throws {
        let (turns, held) = (KeyedTurns<Int>(waitingMax: 1), ChangeSignal())
        let first = Task { try await turns.inTurn(of: 1) { await held.wait(past: 0) } }
        while held.waiting < 1 { await Task.yield() }
        let second = Task { try await turns.inTurn(of: 1) {} }
        while turns.waiting(for: 1) < 1 { await Task.yield() }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        let third = Task { try await turns.inTurn(of: 1) { throw ServiceError(.conflict, "as a body does") } }
        while turns.waiting(for: 1) < 1 { await Task.yield() }
        held.advance()
        try await first.value
        await #expect(throws: ServiceError.self) { try await third.value }
        try await turns.inTurn(of: 1) {}
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
        let arrival = Duration.seconds(1)
        let followers = Followers(arrival: arrival)
        followers.expectArrivals()
        let begun = ContinuousClock.now
        await followers.wait(at: 1) {}
        #expect(.now - begun >= arrival)
        let later = ContinuousClock.now
        await followers.wait(at: 2) {}
        #expect(.now - later < arrival)
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
