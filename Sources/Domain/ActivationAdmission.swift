/// How many activations of one person may wait for a phone at once, and what gives way where another would be too many.
///
/// Windows that were opened and left leave tickets behind that nobody will use: whoever starts once more from their own security info need
/// not wait until those have run out. An application that was not told of that gets its refusal instead.
package enum ActivationAdmission: Hashable, Sendable {
    /// An activation that still waits for a phone: nobody has used its ticket.
    package struct Waiting: Hashable, Sendable {
        package let id: ActivationID
        package let createdAt: Timestamp

        package init(id: ActivationID, createdAt: Timestamp) {
            self.id = id
            self.createdAt = createdAt
        }
    }

    /// Another may wait once these, the oldest, have been withdrawn; none, where there is room.
    case admitted(withdrawing: [ActivationID])
    case tooMany

    /// `limit` is at least 1, so that there is always one to withdraw where none is free.
    package static func judge(_ waiting: [Waiting], limit: Int, replacesOldest: Bool) -> ActivationAdmission {
        let excess = waiting.count + 1 - max(limit, 1)
        guard excess > 0 else { return .admitted(withdrawing: []) }
        guard replacesOldest else { return .tooMany }
        let oldest = waiting.sorted { ($0.createdAt, $0.id.rawValue) < ($1.createdAt, $1.id.rawValue) }.prefix(excess)
        return .admitted(withdrawing: oldest.map(\.id))
    }
}
