import Domain
import NIOCore
import Synchronization

/// Ends connections whose request's body does not come in time: a peer that sends a byte now and then is never idle, and yet holds
/// a handler and its memory.
///
/// One row a body that is being waited for, looked over once a second: no task and no timer of its own.
final class BodyDeadlines: Sendable {
    private struct Row {
        let channel: any Channel
        let dueSecond: Int64
    }

    private struct State {
        var rows: [ObjectIdentifier: Row] = [:]
        var second: Int64 = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.rows.count } }

    /// From now on the connection's body has `limit`, in whole seconds and never less.
    func expect(_ connection: Connection, within limit: Duration) {
        let seconds = (limit.milliseconds + 999) / 1000
        state.withLock { state in
            // One more: the present second has begun already.
            let row = Row(channel: connection.channel, dueSecond: state.second + seconds + 1)
            state.rows[ObjectIdentifier(connection.channel)] = row
        }
    }

    /// The body is there, or nobody waits for it any more.
    func settle(_ connection: Connection) {
        state.withLock { _ = $0.rows.removeValue(forKey: ObjectIdentifier(connection.channel)) }
    }

    /// One second has passed.
    func tick() {
        let late = state.withLock { state in
            state.second += 1
            let late = state.rows.filter { $0.value.dueSecond <= state.second }
            for key in late.keys { state.rows[key] = nil }
            return late.values.map(\.channel)
        }
        for channel in late { channel.close(promise: nil) }
    }
}
