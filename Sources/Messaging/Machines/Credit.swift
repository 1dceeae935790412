/// The caller's account with one callee: how many more ordinary requests it may send.
///
/// Absolute, like QUIC's MAX_STREAMS (RFC 9000 section 4.6): a grant says the highest sequence allowed, so that losing or repeating one
/// does no harm.
struct Credit {
    private(set) var limit: UInt64 = 0
    private(set) var lastSent: UInt64 = 0

    var isExhausted: Bool { lastSent >= limit }
    /// How many more ordinary requests may be sent.
    var left: UInt64 { isExhausted ? 0 : limit - lastSent }

    /// Takes up a grant; an older one changes nothing.
    mutating func raise(to limit: UInt64) { self.limit = max(self.limit, limit & ~Sequence.parkedBit) }

    /// The next sequence, or nil when nothing more may be sent.
    mutating func take() -> UInt64? {
        guard !isExhausted else { return nil }
        lastSent += 1
        return lastSent
    }
}

/// The callee's account with one caller: what it has granted.
struct CreditGrant {
    /// Requests of this caller that run.
    private(set) var running = 0
    private(set) var limit: UInt64 = 0
    private var highestSeen: UInt64 = 0

    /// The caller has used `sequence`; false when that was more than granted.
    @discardableResult
    mutating func see(_ sequence: UInt64) -> Bool {
        guard sequence <= limit else { return false }
        highestSeen = max(highestSeen, sequence)
        return true
    }

    /// Whether `sequence` was never used. Frames of one connection arrive once and in order, so a lower one is not a late one.
    func isNew(_ sequence: UInt64) -> Bool { sequence > highestSeen }

    mutating func begin() { running += 1 }
    mutating func end() { running -= 1 }

    /// The limit to advertise: as many ahead of what was seen as the window has room for. Never falls. A request that was lost counts as
    /// done as soon as a later one is seen.
    mutating func advertise(window: Int) -> UInt64 {
        limit = max(limit, highestSeen + UInt64(max(window - running, 0)))
        return limit
    }
}

/// Sequences of one connection. Parked requests have their own, so that they take no credit.
enum Sequence {
    static let parkedBit: UInt64 = 1 << 63

    static func isParked(_ sequence: UInt64) -> Bool { sequence & parkedBit != 0 }
}
