import Wire

/// Who gets what waits.
extension CallerMachine {
    /// Hands out what waits, as far as there is somebody to take it.
    mutating func dispatch(at now: Instant, using random: inout some RandomNumberGenerator) {
        guard queuedCount > 0 else { return }
        for index in peers.indices where queuedPinned > 0 { dispatchPinned(index, now) }
        dispatch(\.ordinary, \.queuedOrdinary, parked: false, now, &random)
        dispatch(\.parked, \.queuedParked, parked: true, now, &random)
    }

    private mutating func dispatch(
        _ waiting: WritableKeyPath<CallerMachine, WaitingCalls>, _ count: WritableKeyPath<CallerMachine, Int>,
        parked: Bool, _ now: Instant, _ random: inout some RandomNumberGenerator
    ) {
        dispatchApart(waiting, count, parked: parked, now, &random)
        while self[keyPath: count] > 0, let index = choose(at: now, parked: parked, using: &random) {
            guard let key = nextQueued({ $0[keyPath: waiting].line.popFirst() }), let method = calls[key]?.method
            else { break }
            if !peers[index].lacking.contains(method.id) {
                self[keyPath: count] -= 1
                send(key, to: index)
            } else if let other = choose(at: now, parked: parked, knowing: method, using: &random) {
                self[keyPath: count] -= 1
                send(key, to: other)
            } else if mayKnow(method) {
                self[keyPath: waiting].setApart(key, of: method)
            } else if let decision = calls[key]?.knownNowhere() {
                self[keyPath: count] -= 1
                settle(key, decision)
            }
        }
    }

    /// Calls whose method those that had room were too old for.
    private mutating func dispatchApart(
        _ waiting: WritableKeyPath<CallerMachine, WaitingCalls>, _ count: WritableKeyPath<CallerMachine, Int>,
        parked: Bool, _ now: Instant, _ random: inout some RandomNumberGenerator
    ) {
        for (place, method) in self[keyPath: waiting].apart.map(\.method).enumerated() {
            while let index = choose(at: now, parked: parked, knowing: method, using: &random) {
                guard let key = nextQueued({ $0[keyPath: waiting].popFirst(apart: place) }) else { break }
                self[keyPath: count] -= 1
                send(key, to: index)
            }
            // As in the line: that nobody knows it is said when somebody is there to take work.
            guard !mayKnow(method), choose(at: now, parked: parked, using: &random) != nil else { continue }
            while let key = nextQueued({ $0[keyPath: waiting].popFirst(apart: place) }) {
                guard let decision = calls[key]?.knownNowhere() else { continue }
                self[keyPath: count] -= 1
                settle(key, decision)
            }
        }
        self[keyPath: waiting].tidy()
    }

    /// Whether some instance may have the method that is ready, or silent for so short a time that it may come back: one that is about to
    /// go is no hope.
    func mayKnow(_ method: Method) -> Bool {
        peers.contains { !$0.isDraining && !$0.lacking.contains(method.id) }
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

    private func choose(
        at now: Instant, parked: Bool, knowing method: Method? = nil, using random: inout some RandomNumberGenerator
    ) -> Int? {
        var chosen: Int?
        var ties = 1
        for index in peers.indices where peers[index].takesWork(at: now) && hasRoom(index, parked: parked) {
            if let method, peers[index].lacking.contains(method.id) { continue }
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
