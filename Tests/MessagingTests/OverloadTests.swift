import Domain
import Glibc
import Synchronization
import Testing
import Wire

@testable import Messaging

@Suite("More is asked than can be answered", .timeLimit(.minutes(1)))
struct OverloadTests {
    /// What became of the calls of one round.
    private struct Outcome: Sendable {
        var answered = 0
        var refused: [ErrorCode: Int] = [:]
    }

    private let buses = PolicyBuses()
    private let handling = Duration.milliseconds(20)
    private let deadline = Duration.milliseconds(400)

    private func limits() -> BusLimits {
        var limits = Fixture.limits()
        limits.runningMax = 8
        limits.queuedCallsMax = 64
        return limits
    }

    /// Offers so many calls every 20 ms, whatever becomes of the earlier ones.
    private func offer(_ calls: Int, rounds: Int, to caller: MessageBus) async -> Outcome {
        await withTaskGroup(of: ErrorCode?.self) { group in
            var outcome = Outcome()
            let start = ContinuousClock.now
            for round in 0..<rounds {
                for _ in 0..<calls {
                    group.addTask {
                        await failure { _ = try await caller.call(question(""), Fixture.context(deadline)) }?.code
                    }
                }
                try? await Task.sleep(until: start + handling * (round + 1))
            }
            for await code in group {
                if let code { outcome.refused[code, default: 0] += 1 } else { outcome.answered += 1 }
            }
            return outcome
        }
    }

    @Test(
        "at three times what a callee can do, it does as much as at once, and the rest is told at once or by the deadline"
    )
    func goodput() async throws {
        let running = Mutex((now: 0, most: 0))
        let dropped = Tally()
        let count: @Sendable (BusEvent) -> Void = { if case .droppedReply = $0 { dropped.add() } }
        let worker = try buses.worker(limits: limits(), metrics: count) { routes in
            routes.on(AuthenticateToken.self) { [handling] _, _ in
                running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                defer { running.withLock { $0.now -= 1 } }
                try await Task.sleep(for: handling)
                return AuthenticateTokenReply()
            }
        }
        let caller = try buses.caller(limits: limits())
        try await Fixture.run([worker, caller]) {
            await Fixture.ready(caller, .policy)
            let fair = await offer(8, rounds: 50, to: caller)
            let before = residentPages()
            let much = await offer(24, rounds: 50, to: caller)
            #expect(much.answered * 10 >= fair.answered * 9, "\(much) after \(fair)")
            #expect(much.answered + much.refused.values.reduce(0, +) == 24 * 50)
            #expect(Set(much.refused.keys).isSubset(of: [.overloaded, .unavailable]), "\(much)")
            #expect((much.refused[.overloaded] ?? 0) > 0)
            #expect(running.withLock(\.most) <= 8)
            #expect(dropped.count == 0)
            // 4 KiB each: the excess is turned away, not kept.
            #expect(residentPages() - before < 8_192)
            // And it is over when it is over.
            let after = await offer(1, rounds: 10, to: caller)
            #expect(after.answered == 10)
        }
    }
}

/// Memory of this process in pages: the second number of /proc/self/statm (proc(5)).
func residentPages() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    return KeyFile.text(line).split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
}
