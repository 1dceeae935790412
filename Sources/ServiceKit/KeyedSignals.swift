import Synchronization
import Wire

/// A `ChangeSignal` for each of many things, as long as somebody watches it.
package final class KeyedSignals<Key: Hashable & Sendable>: Sendable {
    private struct State {
        var signals: [Key: (signal: ChangeSignal, watchers: Int)] = [:]
        var watchers = 0
    }

    private let state = Mutex(State())
    private let watchersMax: Int

    /// `watchersMax` is how many may watch at the same time, whatever they watch.
    package init(watchersMax: Int) { self.watchersMax = watchersMax }

    /// How many watch now.
    package var watchers: Int { state.withLock(\.watchers) }

    /// Runs `body` with the signal of `key`, whose count it reads before it looks. Throws `overloaded` when too many watch already.
    package func watching<Result: Sendable>(_ key: Key, _ body: (ChangeSignal) async throws -> Result) async throws
        -> Result
    {
        guard let signal = enter(key) else {
            throw ServiceError(.overloaded, "too many are waiting", retryAfter: .seconds(1))
        }
        defer { leave(key) }
        return try await body(signal)
    }

    private func enter(_ key: Key) -> ChangeSignal? {
        state.withLock { state in
            guard state.watchers < watchersMax else { return nil }
            state.watchers += 1
            state.signals[key, default: (ChangeSignal(), 0)].watchers += 1
            return state.signals[key]?.signal
        }
    }

    private func leave(_ key: Key) {
        state.withLock { state in
            state.watchers -= 1
            state.signals[key]?.watchers -= 1
            if state.signals[key]?.watchers == 0 { state.signals[key] = nil }
        }
    }

    /// Wakes all who watch `key`.
    package func advance(_ key: Key) { state.withLock { $0.signals[key]?.signal }?.advance() }

    /// Wakes everybody.
    package func advanceAll() {
        for (signal, _) in state.withLock({ Array($0.signals.values) }) { signal.advance() }
    }
}
