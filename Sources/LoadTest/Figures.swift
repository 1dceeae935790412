import Synchronization

/// What a run counted. Latencies are kept whole: a closed loop of minutes makes no more than a few hundred thousand.
final class Figures: Sendable {
    private struct State {
        var begin: [Duration] = []
        var whole: [Duration] = []
        var failures: [String: Int] = [:]
    }
    private let state = Mutex(State())

    func completed(begin: Duration, whole: Duration) {
        state.withLock {
            $0.begin.append(begin)
            $0.whole.append(whole)
        }
    }

    func failed(_ what: String) { state.withLock { $0.failures[what, default: 0] += 1 } }

    var failures: [String: Int] { state.withLock { $0.failures } }

    func report(over elapsed: Duration) -> String {
        let (begin, whole) = state.withLock { ($0.begin.sorted(), $0.whole.sorted()) }
        let rate = Double(whole.count) / (elapsed / .seconds(1))
        return """
            sign-ins         \(whole.count) in \(rounded(elapsed / .seconds(1))) s: \(rounded(rate)) a second
            POST to 201      p50 \(milliseconds(begin, 0.50)) ms, p99 \(milliseconds(begin, 0.99)) ms
            POST to redeemed p50 \(milliseconds(whole, 0.50)) ms, p99 \(milliseconds(whole, 0.99)) ms
            failures         \(failures.values.reduce(0, +))
            """
    }

    private func milliseconds(_ sorted: [Duration], _ quantile: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return rounded(sorted[min(sorted.count - 1, Int(Double(sorted.count) * quantile))] / .milliseconds(1))
    }

    private func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
