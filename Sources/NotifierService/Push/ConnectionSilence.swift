/// Whether a connection that says nothing is alive, as far as looks at it from time to time can tell. A value: no IO, no clock.
struct ConnectionSilence: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case nothing
        /// It has been silent since the last look: it is to give a sign of life.
        case ask
        /// It has given none since it was asked for one.
        case end
    }

    private var isHeard = false
    private var isAsked = false

    mutating func heard() { isHeard = true }

    /// One that nobody waits for an answer on may be silent.
    mutating func look(isAwaited: Bool) -> Step {
        defer { isHeard = false }
        guard isAwaited, !isHeard else {
            isAsked = false
            return .nothing
        }
        defer { isAsked = true }
        return isAsked ? .end : .ask
    }
}
