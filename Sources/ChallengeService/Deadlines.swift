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

    private let heap = Mutex(TimerHeap<Timestamp, Event>())
    /// Advances when the first deadline has moved forward.
    let moved = ChangeSignal()

    func add(_ event: Event, at time: Timestamp) {
        let isFirst = heap.withLock { heap in
            heap.insert(event, due: time)
            return heap.next == time
        }
        if isFirst { moved.advance() }
    }

    var next: Timestamp? { heap.withLock { $0.next } }

    /// Removes and returns at most `limit` events that are due at `time`, earliest first.
    func take(at time: Timestamp, limit: Int) -> [Event] {
        heap.withLock { heap in
            var due: [Event] = []
            while due.count < limit, let event = heap.popDue(at: time) {
                due.append(event)
            }
            return due
        }
    }
}
