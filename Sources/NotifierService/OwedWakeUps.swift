import Domain
import Storage
import Synchronization
import Telemetry

/// About how many phones are to be rung, for the bound of them.
///
/// To count them for each request would make every request as slow as the line is long, and on PostgreSQL a conflict of all others. They
/// are counted ten times a second at most; between two looks what this process adds is known, not what others add or what ends.
final class OwedWakeUps: Sendable {
    private static let lookPause = Duration.milliseconds(100)

    private struct State {
        var number = 0
        var countedAt: Timestamp?
    }

    private let store: any Store<any NotifierRecords>
    private let metrics: NotifierMetrics
    private let state = Mutex(State())

    init(_ store: any Store<any NotifierRecords>, metrics: NotifierMetrics) {
        self.store = store
        self.metrics = metrics
    }

    /// At `time`, as it was counted last. Throws what the store does; the next call counts again then.
    @discardableResult
    func number(at time: Timestamp) async throws -> Int {
        let isOld = state.withLock { state in
            // A clock that was set back counts again, too.
            if let last = state.countedAt, last <= time, time - last < Self.lookPause { return false }
            state.countedAt = time
            return true
        }
        guard isOld else { return state.withLock(\.number) }
        let number: Int
        do {
            number = try await store.read { try $0.countWakeUps() }
        } catch {
            state.withLock { $0.countedAt = nil }
            throw error
        }
        state.withLock { $0.number = number }
        metrics.owed.set(number)
        return number
    }

    /// So many more have been committed.
    func added(_ number: Int) { state.withLock { $0.number += number } }
}
