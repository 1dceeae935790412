/// Deadlines in order. Entries of things that are over stay until they come due or until they are the larger half.
package struct TimerHeap<Moment: Comparable & Sendable, Key: Sendable>: Sendable {
    private var entries: [(due: Moment, key: Key)] = []

    package init() {}

    package var next: Moment? { entries.first?.due }

    package mutating func insert(_ key: Key, due: Moment) {
        entries.append((due, key))
        var child = entries.count - 1
        while child > 0, entries[child].due < entries[(child - 1) / 2].due {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes out the first key, when it is due at `now`.
    package mutating func popDue(at now: Moment) -> Key? {
        guard let first = entries.first, first.due <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        sink(0)
        return first.key
    }

    /// Drops what is over, once that is most of the heap.
    mutating func compact(live: Int, isLive: (Key) -> Bool) {
        guard entries.count > 2 * live + 1_024 else { return }
        entries.removeAll { !isLive($0.key) }
        for index in stride(from: entries.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].due < entries[smallest].due {
                smallest = child
            }
            guard smallest != parent else { return }
            entries.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
