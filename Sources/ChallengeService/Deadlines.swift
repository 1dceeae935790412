import Domain
import Storage
import Synchronization

/// Everything in this process that waits for a moment, in one heap: the service sleeps until the first of them, and an earlier
/// one that is added wakes it.
final class Deadlines: Sendable {
    enum Event: Hashable, Sendable {
        case lapse(ChallengeID, TenantID)
        case waitEnds(OutcomeWaiters.Ticket)
        case outbox
    }

    private let heap = Mutex(MinHeap<Event>())
    /// Raised when the first deadline has moved forward.
    let moved = Signal()

    func add(_ event: Event, at time: Timestamp) {
        let isFirst = heap.withLock { heap in
            heap.insert(event, at: time)
            return heap.first == time
        }
        if isFirst { moved.raise() }
    }

    var next: Timestamp? { heap.withLock { $0.first } }

    /// Removes and returns at most `limit` events that are due at `time`, earliest first.
    func take(at time: Timestamp, limit: Int) -> [Event] {
        heap.withLock { heap in
            var due: [Event] = []
            while due.count < limit, let first = heap.first, first <= time, let event = heap.removeFirst() {
                due.append(event)
            }
            return due
        }
    }
}

/// A binary heap: the earliest on top.
struct MinHeap<Element: Sendable>: Sendable {
    private var items: [(time: Timestamp, element: Element)] = []

    var first: Timestamp? { items.first?.time }

    mutating func insert(_ element: Element, at time: Timestamp) {
        items.append((time, element))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child].time < items[parent].time else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Element? {
        guard !items.isEmpty else { return nil }
        items.swapAt(0, items.count - 1)
        let element = items.removeLast().element
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < items.count && items[child].time < items[least].time {
                least = child
            }
            if least == parent { return element }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
