import Domain

/// Who may have an attempt under way, where all that go to one party share its slowness: an account, or a push service. A value: no clock.
///
/// A party gets another place while it holds fewer than are free: by itself it has half of them at most, and whoever comes later finds some.
/// One that is quick is waited for, because its places are free in a moment; one that is slow is passed over, so that nobody waits behind it.
struct PlaceShares: Sendable {
    private struct Holder {
        var places = 0
        /// When it got its first place, or last gave one back.
        var movedAt: Timestamp
        /// The attempt that ended last took so long.
        var isSlow = false
    }

    let placesMax: Int
    /// Whose attempts take so long is slow.
    let slowAfter: Duration
    private(set) var taken = 0
    private var holders: [String: Holder] = [:]

    init(placesMax: Int, slowAfter: Duration) {
        self.placesMax = placesMax
        self.slowAfter = slowAfter
    }

    /// So many can be begun at `time` of whatever parties: each gets a place, unless its party is slow.
    func room(at time: Timestamp) -> Int {
        let quick = holders.values.filter { !$0.isSlow && time - $0.movedAt < slowAfter }
        return room(holding: quick.map(\.places).max() ?? 0)
    }

    /// Takes a place for one of `party`; false when that holds its share.
    mutating func enter(_ party: String, at time: Timestamp) -> Bool {
        var holder = holders[party] ?? Holder(movedAt: time)
        guard room(holding: holder.places) > 0 else { return false }
        holder.places += 1
        holders[party] = holder
        taken += 1
        return true
    }

    /// Gives a place back that was taken at `start`.
    mutating func leave(_ party: String, since start: Timestamp, at time: Timestamp) {
        guard var holder = holders[party] else { preconditionFailure("a place is given back once") }
        taken -= 1
        holder.places -= 1
        holder.movedAt = time
        holder.isSlow = time - start >= slowAfter
        holders[party] = holder.places == 0 ? nil : holder
    }

    /// How many more one gets who holds so many: each is one place less that is free and one more that it holds.
    private func room(holding places: Int) -> Int { max(0, (placesMax - taken - places + 1) / 2) }
}
