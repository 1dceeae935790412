import DeviceAPI
import Domain
import Synchronization
import Wire

/// Every open event stream: how many of phones there may be, the comment lines, and the end of those that are old.
///
/// One clock serves all of them, `SecondTicker`: a stream costs its mailbox and a row here, no task and no timer of its own.
final class EventStreams: Sendable {
    private struct Row {
        let mailbox: StreamMailbox
        let openedAt: Int
        let counts: Bool
    }

    private struct State {
        var rows: [UInt64: Row] = [:]
        var counted = 0
        var next: UInt64 = 0
        var second = 0
        var isDraining = false

        mutating func add(_ row: Row, _ id: UInt64) {
            rows[id] = row
            if row.counts { counted += 1 }
        }

        @discardableResult
        mutating func remove(_ id: UInt64) -> Row? {
            guard let row = rows.removeValue(forKey: id) else { return nil }
            if row.counts { counted -= 1 }
            return row
        }
    }

    private let state = Mutex(State())
    private let streamsMax: Int

    init(streamsMax: Int) { self.streamsMax = streamsMax }

    /// Of phones.
    var count: Int { state.withLock { $0.counted } }

    /// Throws `overloaded` when there are as many as there may be, or the gateway is stopping.
    func open(_ mailbox: StreamMailbox, counts: Bool) throws(ServiceError) -> UInt64 {
        let id: UInt64? = state.withLock { state in
            guard !state.isDraining, !counts || state.counted < streamsMax else { return nil }
            state.next += 1
            state.add(Row(mailbox: mailbox, openedAt: state.second, counts: counts), state.next)
            return state.next
        }
        guard let id else { throw ServiceError(.overloaded, "too many streams are open", retryAfter: .seconds(5)) }
        return id
    }

    func close(_ id: UInt64) {
        let row = state.withLock { $0.remove(id) }
        row?.mailbox.end()
    }

    /// One second has passed. A fifteenth of the streams gets its comment each time, so that the work is even.
    func tick() {
        let (comments, ends) = state.withLock { state in
            state.second += 1
            var comments: [StreamMailbox] = []
            var ends: [StreamMailbox] = []
            for (id, row) in state.rows {
                let age = state.second - row.openedAt
                if age >= APILimits.streamLifetimeSeconds {
                    ends.append(row.mailbox)
                    state.remove(id)
                } else if age % APILimits.streamCommentSeconds == 0 {
                    comments.append(row.mailbox)
                }
            }
            return (comments, ends)
        }
        for mailbox in comments { mailbox.send(EventFraming.comment) }
        for mailbox in ends { mailbox.end() }
    }

    /// Ends all streams, and lets none open any more.
    func drain() {
        let mailboxes = state.withLock { state in
            state.isDraining = true
            defer { (state.rows, state.counted) = ([:], 0) }
            return state.rows.values.map(\.mailbox)
        }
        for mailbox in mailboxes { mailbox.end() }
    }
}
