import Wire

/// Who gets what waits.
extension CallerMachine {
    /// Hands out what waits, as far as there is somebody to take it.
    mutating func dispatch(at now: Instant, using random: inout some RandomNumberGenerator) {
        guard queuedCount > 0 else { return }
        for index in peers.indices where queuedPinned > 0 { dispatchPinned(index, now) }
        while queuedOrdinary > 0, let index = choose(at: now, parked: false, using: &random) {
            guard let key = nextQueued(\.ordinaryLine) else { break }
            queuedOrdinary -= 1
            send(key, to: index)
        }
        while queuedParked > 0, let index = choose(at: now, parked: true, using: &random) {
            guard let key = nextQueued(\.parkedLine) else { break }
            queuedParked -= 1
            send(key, to: index)
        }
    }

    private mutating func dispatchPinned(_ index: Int, _ now: Instant) {
        while peers[index].takesWork(at: now), !peers[index].pinned.isEmpty {
            guard let key = peers[index].pinned.popFirst() else { return }
            guard let call = calls[key], call.state == .queued else { continue }
            guard hasRoom(index, parked: call.method.wait == .parked) else {
                // Keeps its turn among this instance's calls only loosely: credit comes back within a beat.
                peers[index].pinned.append(key)
                return
            }
            queuedPinned -= 1
            send(key, to: index)
        }
    }

    private func hasRoom(_ index: Int, parked: Bool) -> Bool {
        if parked { return peers[index].outstanding.count - peers[index].ordinary < limits.parkedPerConnectionMax }
        return !peers[index].credit.isExhausted
    }

    private func load(_ index: Int, parked: Bool) -> Int {
        parked ? peers[index].outstanding.count - peers[index].ordinary : peers[index].ordinary
    }

    private func choose(at now: Instant, parked: Bool, using random: inout some RandomNumberGenerator) -> Int? {
        var chosen: Int?
        var ties = 1
        for index in peers.indices where peers[index].takesWork(at: now) && hasRoom(index, parked: parked) {
            guard let best = chosen, load(best, parked: parked) <= load(index, parked: parked) else {
                chosen = index
                ties = 1
                continue
            }
            if load(best, parked: parked) == load(index, parked: parked) {
                ties += 1
                if Int.random(in: 0..<ties, using: &random) == 0 { chosen = index }
            }
        }
        return chosen
    }

    private mutating func send(_ key: SlabKey, to index: Int) {
        guard let call = calls[key] else { return }
        let sequence: UInt64
        if call.method.wait == .parked {
            sequence = Sequence.parkedBit | peers[index].nextParked
            peers[index].nextParked += 1
        } else {
            guard let next = peers[index].credit.take() else { return }
            sequence = next
            peers[index].ordinary += 1
        }
        peers[index].outstanding[sequence] = key
        calls[key]?.sent(to: peers[index].id, sequence: sequence)
        effects.append(
            .send(key, to: peers[index].id, sequence: sequence, attempt: call.attempt, isRetry: call.retries > 0))
    }
}
