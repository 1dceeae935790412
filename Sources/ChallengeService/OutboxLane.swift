import Domain
import Storage

/// What goes to one receiver: what is under way to it, and what this process holds in memory of the store's outbox.
///
/// A message that was just committed here is handed over and sent without a reading. Everything else is found by looking: what did not
/// fit, what was put off, and what another process or an earlier life of this one has left.
struct OutboxLane: Sendable {
    private let places: Int
    private var isOpen = false
    private var handedOver: [OutboxRecord] = []
    private var underWay: Set<Int64> = []
    /// Delivered, and still in the store.
    private var delivered: Set<Int64> = []
    /// What was deleted since a reading began, which may find it nevertheless. Nil while there is none.
    private var deletedWhileLooking: Set<Int64>?
    private var mustLook = false

    init(places: Int) { self.places = places }

    /// How many messages may be handed over, or found by looking: none while nobody sends.
    var free: Int { isOpen ? max(0, places - underWay.count) : 0 }

    /// From now on what is handed over is sent. The store is looked at first: it may hold messages of an earlier life.
    mutating func open() { (isOpen, mustLook) = (true, true) }

    mutating func close() { isOpen = false }

    mutating func look() { mustLook = true }

    /// Takes messages that are committed. Where nobody sends they stay in the store, and are found there.
    mutating func handOver(_ messages: [OutboxRecord]) {
        guard isOpen else { return }
        // A reading between the commit and this may have found them.
        let messages = messages.filter { !underWay.contains($0.sequence) && !delivered.contains($0.sequence) }
        underWay.formUnion(messages.map(\.sequence))
        handedOver += messages
    }

    /// What is to be sent, and whether the store is to be looked at: by one reading at a time, for which nothing else waits.
    mutating func take() -> (messages: [OutboxRecord], looks: Bool) {
        let looks = mustLook && deletedWhileLooking == nil
        if looks { mustLook = false }
        defer { handedOver = [] }
        return (handedOver, looks)
    }

    /// Begins a reading. Returns how many messages it may find, beside how many that are known here; nil without a free place.
    mutating func beginLook(evenClosed: Bool = false) -> (limit: Int, known: Int)? {
        let free = evenClosed ? places - underWay.count : free
        // Whoever ends has the store looked at.
        guard free > 0 else { return nil }
        deletedWhileLooking = []
        return (free, underWay.count + delivered.count)
    }

    /// Ends a reading, which found these. At most `limit` of those that are not known are to be sent; `isFull` says that it may have left
    /// some.
    mutating func endLook(_ found: [OutboxRecord], limit: Int, isFull: Bool) {
        let known = underWay.union(delivered).union(deletedWhileLooking ?? [])
        deletedWhileLooking = nil
        let messages = found.filter { !known.contains($0.sequence) }.prefix(limit)
        underWay.formUnion(messages.map(\.sequence))
        handedOver += messages
        // Places that became free during the reading have asked for none.
        if isFull || messages.count == limit { mustLook = true }
    }

    /// A delivery has ended. Returns whether the store is to be looked at for what found no place.
    mutating func end(_ message: OutboxRecord, isDelivered: Bool) -> Bool {
        let wasFull = underWay.count >= places
        underWay.remove(message.sequence)
        if isDelivered { delivered.insert(message.sequence) }
        if wasFull { mustLook = true }
        return wasFull
    }

    /// What is to be deleted, in one order: two processes may have delivered the same.
    var deletable: [Int64] { delivered.sorted() }

    /// Deleted, or found again by the next look where that failed.
    mutating func forget(_ sequences: [Int64], areDeleted: Bool) {
        delivered.subtract(sequences)
        if areDeleted { deletedWhileLooking?.formUnion(sequences) }
    }
}
