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
        var shares: OwedShares
        var countedAt: Timestamp?
    }

    private let store: any Store<any NotifierRecords>
    private let metrics: NotifierMetrics
    private let lineMax: Int
    private let state: Mutex<State>

    /// `lineMax`: of one transport.
    init(_ store: any Store<any NotifierRecords>, metrics: NotifierMetrics, lineMax: Int) {
        self.store = store
        self.metrics = metrics
        self.lineMax = lineMax
        state = Mutex(State(shares: OwedShares(lineMax: lineMax)))
    }

    /// At `time`, as they were counted last. Throws what the store does; the next call counts again then.
    @discardableResult
    func shares(at time: Timestamp) async throws -> OwedShares {
        let isOld = state.withLock { state in
            // A clock that was set back counts again, too.
            if let last = state.countedAt, last <= time, time - last < Self.lookPause { return false }
            state.countedAt = time
            return true
        }
        guard isOld else { return state.withLock(\.shares) }
        let counts: [WakeUpCount]
        do {
            counts = try await store.read { try $0.wakeUpCounts() }
        } catch {
            state.withLock { $0.countedAt = nil }
            throw error
        }
        let shares = OwedShares(lineMax: lineMax, counts)
        state.withLock { $0.shares = shares }
        metrics.owed.set(shares.number)
        return shares
    }

    /// These have been committed.
    func added(_ wakeUps: [WakeUpRecord]) {
        state.withLock { state in
            for wakeUp in wakeUps { state.shares.add(wakeUp) }
        }
    }
}
