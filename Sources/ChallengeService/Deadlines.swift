import Domain
import Messaging
import ServiceKit
import Synchronization

/// Everything in this process that waits for a moment, in one heap: the service sleeps until the first of them, and an earlier
/// one that is added wakes it.
final class Deadlines: Sendable {
    enum Event: Hashable, Sendable {
        case lapse(ChallengeID, TenantID)
        case waitEnds(ChallengeID)
        case outbox
    }

    private struct State {
        var heap = TimerHeap<Timestamp, Event>()
        /// How many lapses of a challenge are to come. Those that were dropped stay in the heap until their time, and are missed here.
        var lapses: [ChallengeID: Int] = [:]

        /// Takes a lapse off the count; false where it was dropped.
        mutating func takeLapse(of id: ChallengeID) -> Bool {
            guard let count = lapses[id] else { return false }
            lapses[id] = count > 1 ? count - 1 : nil
            return true
        }
    }

    private let state = Mutex(State())
    /// Advances when the first deadline has moved forward.
    let moved = ChangeSignal()

    func add(_ event: Event, at time: Timestamp) {
        let isFirst = state.withLock { state in
            if case .lapse(let id, _) = event { state.lapses[id, default: 0] += 1 }
            state.heap.insert(event, due: time)
            return state.heap.next == time
        }
        if isFirst { moved.advance() }
    }

    /// Of a challenge that has ended: the store need not be asked for it when the time comes. One that is added later is met, in vain.
    func dropLapses(of id: ChallengeID) { _ = state.withLock { $0.lapses.removeValue(forKey: id) } }

    var next: Timestamp? { state.withLock { $0.heap.next } }

    /// Removes and returns at most `limit` events that are due at `time`, earliest first.
    func take(at time: Timestamp, limit: Int) -> [Event] {
        state.withLock { state in
            var due: [Event] = []
            while due.count < limit, let event = state.heap.popDue(at: time) {
                if case .lapse(let id, _) = event, !state.takeLapse(of: id) { continue }
                due.append(event)
            }
            return due
        }
    }
}
