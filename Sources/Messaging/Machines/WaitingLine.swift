/// First come, first served. What has left the line otherwise stays as an entry until it is met or entries outnumber the living.
struct WaitingLine {
    private var entries: [SlabKey] = []
    private var head = 0

    var isEmpty: Bool { head == entries.count }

    mutating func append(_ key: SlabKey) { entries.append(key) }

    mutating func popFirst() -> SlabKey? {
        guard head < entries.count else { return nil }
        defer { advance() }
        return entries[head]
    }

    /// Drops what no longer waits, once that is most of the line.
    mutating func compact(live: Int, isLive: (SlabKey) -> Bool) {
        guard entries.count - head > 2 * live + 64 else { return }
        entries = entries[head...].filter(isLive)
        head = 0
    }

    private mutating func advance() {
        head += 1
        if head == entries.count {
            entries.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1_024, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
    }
}
