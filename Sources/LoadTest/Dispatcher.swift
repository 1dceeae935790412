import Synchronization

/// One sign-in that is to begin.
struct Arrival: Sendable {
    /// When it was meant to: latencies count from here, whoever kept it waiting.
    let intended: ContinuousClock.Instant
    let tally: Tally
}

/// Gives the people who are free their next sign-in. In a closed loop that is at once; in an open loop when the next one is due. What
/// finds nobody free waits in a queue with a limit, and is counted where even that is full or the phase ends.
final class Dispatcher: Sendable {
    private enum Load {
        case none
        case closed(people: Int, Tally)
        case open
    }

    private struct State {
        var load = Load.none
        var isOver = false
        var busy = 0
        var queue: [Arrival] = []
        /// Who is free, longest first.
        var free: [CheckedContinuation<Arrival?, Never>] = []
    }

    private let queueMax: Int
    private let share: Share
    private let state = Mutex(State())

    init(queueMax: Int, share: Share = .whole) {
        self.queueMax = queueMax
        self.share = share
    }

    /// The next sign-in for somebody who is free; nil when the run is over. `finished` follows each.
    func next() async -> Arrival? {
        await withCheckedContinuation { continuation in
            let taken: (arrival: Arrival?, isLate: Bool)? = state.withLock { state in
                if state.isOver { return (nil, false) }
                switch state.load {
                case .closed(let people, let tally) where state.busy < people:
                    state.busy += 1
                    tally.offered()
                    return (Arrival(intended: .now, tally: tally), false)
                case .open where !state.queue.isEmpty:
                    state.busy += 1
                    return (state.queue.removeFirst(), true)
                default:
                    state.free.append(continuation)
                    return nil
                }
            }
            guard let taken else { return }
            taken.arrival?.tally.began(isLate: taken.isLate)
            continuation.resume(returning: taken.arrival)
        }
    }

    func finished() { state.withLock { $0.busy -= 1 } }

    /// One more is due.
    func offer(_ arrival: Arrival) {
        arrival.tally.offered()
        let person: CheckedContinuation<Arrival?, Never>? = state.withLock { state in
            if !state.free.isEmpty {
                state.busy += 1
                return state.free.removeFirst()
            }
            if state.queue.count < queueMax { state.queue.append(arrival) } else { arrival.tally.notStarted() }
            return nil
        }
        guard let person else { return }
        arrival.tally.began(isLate: false)
        person.resume(returning: arrival)
    }

    /// The load from now on; what still waits from before never begins.
    func enter(_ phase: Phase, _ tally: Tally) {
        abandonQueue()
        guard case .people(let all) = phase.load else {
            state.withLock { $0.load = .open }
            return
        }
        let people = share.part(of: all)
        let woken = state.withLock { state in
            state.load = .closed(people: people, tally)
            let count = min(max(0, people - state.busy), state.free.count)
            let woken = state.free.prefix(count)
            state.free.removeFirst(count)
            state.busy += count
            return Array(woken)
        }
        for person in woken {
            tally.offered()
            tally.began(isLate: false)
            person.resume(returning: Arrival(intended: .now, tally: tally))
        }
    }

    /// Nothing more begins.
    func end() {
        abandonQueue()
        let free = state.withLock { state in
            state.isOver = true
            defer { state.free = [] }
            return state.free
        }
        for person in free { person.resume(returning: nil) }
    }

    private func abandonQueue() {
        let abandoned = state.withLock { state in
            defer { state.queue = [] }
            return state.queue
        }
        for arrival in abandoned { arrival.tally.notStarted() }
    }
}
