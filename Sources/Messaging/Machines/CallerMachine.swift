import Wire

/// All calls of this process to one service: which waits, which is with whom, and who gets the next.
///
/// The least loaded callee with credit is chosen, at random among equals. What a lost callee had is known exactly: `outstanding`.
struct CallerMachine {
    typealias Instant = ContinuousClock.Instant

    /// What the shell must do; in order.
    enum Effect: Equatable {
        case send(SlabKey, to: PeerID, sequence: UInt64, attempt: UInt16, isRetry: Bool)
        case cancel(PeerID, sequence: UInt64)
        case finish(SlabKey, RequestMachine.Outcome)
        /// Nothing is outstanding at a callee that gets no new work.
        case empty(PeerID)
        case readyInstances(Set<InstanceID>)
    }

    struct Peer {
        let id: PeerID
        let instance: InstanceID
        var credit = Credit()
        var nextParked: UInt64 = 1
        var outstanding: [UInt64: SlabKey] = [:]
        var ordinary = 0
        /// Calls for this instance alone that found no credit.
        var pinned = WaitingLine()
        var isPaused = false
        var isDraining = false
        var busyUntil: Instant?
        /// What it said it does not know: it is of another version than its caller.
        var lacking: Set<UInt16> = []

        func takesWork(at now: Instant) -> Bool {
            guard !isPaused, !isDraining else { return false }
            guard let busyUntil else { return true }
            return busyUntil <= now
        }
    }

    let service: ServiceName
    let limits: BusLimits
    var calls = Slab<RequestMachine>()
    var peers: [Peer] = []
    var ordinary = WaitingCalls()
    var parked = WaitingCalls()
    var queuedOrdinary = 0
    var queuedParked = 0
    var queuedPinned = 0
    private var timers = TimerHeap<ContinuousClock.Instant, SlabKey>()
    private var budget = RetryBudget()
    private var announced: Set<InstanceID> = []
    /// Filled by every event; the shell takes it.
    var effects: [Effect] = []

    init(service: ServiceName, limits: BusLimits) {
        self.service = service
        self.limits = limits
    }

    var callCount: Int { calls.count }
    var queuedCount: Int { queuedOrdinary + queuedParked + queuedPinned }
    var readyInstances: Set<InstanceID> { announced }
    var figures: BusFigures.Calls {
        var figures = BusFigures.Calls(ready: announced.count, queued: queuedCount)
        for peer in peers {
            figures.outstanding += peer.outstanding.count
            figures.credit += peer.credit.left
        }
        return figures
    }
    func outstandingCount(of peer: PeerID) -> Int { position(peer).map { peers[$0].outstanding.count } ?? 0 }
    /// Whether the call may have been executed.
    func wasSent(_ key: SlabKey) -> Bool { calls[key]?.wasSent ?? false }
    func highestSequence(of peer: PeerID) -> UInt64 { position(peer).map { peers[$0].credit.lastSent } ?? 0 }

    mutating func takeEffects() -> [Effect] {
        guard !effects.isEmpty else { return [] }
        defer { effects = [] }
        return effects
    }

    /// When `advance` has something to do next.
    var nextTick: Instant? {
        let resumed = queuedCount == 0 ? nil : peers.compactMap(\.busyUntil).min()
        guard let due = timers.next else { return resumed }
        return resumed.map { min($0, due) } ?? due
    }

    // MARK: calls

    /// Takes a call in. Nil when the line is full: nothing was sent.
    mutating func add(
        _ method: Method, deadline: Instant, instance: InstanceID?, at now: Instant,
        using random: inout some RandomNumberGenerator
    ) -> SlabKey? {
        let isFull =
            method.wait == .parked
            ? queuedParked >= limits.parkedPerConnectionMax : queuedOrdinary + queuedPinned >= limits.queuedCallsMax
        guard !isFull else { return nil }
        let key = calls.insert(RequestMachine(method: method, deadline: deadline, instance: instance))
        timers.insert(key, due: deadline)
        enqueue(key)
        dispatch(at: now, using: &random)
        return key
    }

    mutating func cancel(_ key: SlabKey, at now: Instant, using random: inout some RandomNumberGenerator) {
        guard let state = calls[key]?.state, let decision = calls[key]?.cancel() else { return }
        abandon(key, state, decision)
        // The place that it leaves is somebody else's.
        dispatch(at: now, using: &random)
    }

    /// Ends what is past its deadline and gives work to callees whose pause is over.
    mutating func advance(to now: Instant, using random: inout some RandomNumberGenerator) {
        while let key = timers.popDue(at: now) {
            guard let state = calls[key]?.state, let decision = calls[key]?.expire() else { continue }
            abandon(key, state, decision)
        }
        for index in peers.indices where peers[index].busyUntil.map({ $0 <= now }) ?? false {
            peers[index].busyUntil = nil
        }
        dispatch(at: now, using: &random)
        timers.compact(live: calls.count) { [calls] in calls[$0] != nil }
    }

    // MARK: callees

    mutating func up(
        _ peer: PeerID, instance: InstanceID, credit: UInt64, at now: Instant,
        using random: inout some RandomNumberGenerator
    ) {
        guard position(peer) == nil else { return }
        var added = Peer(id: peer, instance: instance)
        added.credit.raise(to: credit)
        peers.append(added)
        announce()
        dispatch(at: now, using: &random)
    }

    mutating func pause(_ peer: PeerID) {
        guard let index = position(peer) else { return }
        peers[index].isPaused = true
        announce()
    }

    mutating func resume(_ peer: PeerID, at now: Instant, using random: inout some RandomNumberGenerator) {
        guard let index = position(peer) else { return }
        peers[index].isPaused = false
        announce()
        dispatch(at: now, using: &random)
    }

    mutating func drain(_ peer: PeerID) {
        guard let index = position(peer) else { return }
        peers[index].isDraining = true
        announce()
        failPinned(index)
        reportEmpty(index)
    }

    mutating func granted(
        _ peer: PeerID, credit: UInt64, at now: Instant, using random: inout some RandomNumberGenerator
    ) {
        guard let index = position(peer), credit > peers[index].credit.limit else { return }
        peers[index].credit.raise(to: credit)
        dispatch(at: now, using: &random)
    }

    /// The connection is gone: the fate of everything outstanding there is unknown.
    mutating func lost(_ peer: PeerID, at now: Instant, using random: inout some RandomNumberGenerator) {
        guard let index = position(peer) else { return }
        failPinned(index)
        let gone = peers.remove(at: index)
        announce()
        for sequence in gone.outstanding.keys.sorted() {
            guard let key = gone.outstanding[sequence], var call = calls[key] else { continue }
            let decision = call.lost(peer, limits: limits, budget: &budget, at: now)
            calls[key] = call
            settle(key, decision)
        }
        dispatch(at: now, using: &random)
    }

    /// A reply; nil when it answers nothing that is outstanding (late, repeated, or wrong). One that says that the callee cannot serve
    /// earns no retries.
    @discardableResult
    mutating func replied(
        _ peer: PeerID, sequence: UInt64, isServed: Bool = true, at now: Instant,
        using random: inout some RandomNumberGenerator, isExpected: (SlabKey) -> Bool
    ) -> SlabKey? {
        guard let index = position(peer), let key = peers[index].outstanding[sequence], isExpected(key) else {
            return nil
        }
        guard calls[key]?.replied(by: peer, sequence: sequence) == .end(.replied) else { return nil }
        forget(sequence, at: index)
        if isServed { budget.succeeded() }
        calls.remove(key)
        effects.append(.finish(key, .replied))
        reportEmpty(index)
        dispatch(at: now, using: &random)
        return key
    }

    /// A reply that says that the callee cannot tell whether the request had its effect, as after a lost connection: it is asked again,
    /// elsewhere or there, while the same rules allow it. Returns whether it is; if not, the reply is the answer.
    mutating func doubted(
        _ peer: PeerID, sequence: UInt64, at now: Instant, using random: inout some RandomNumberGenerator,
        isExpected: (SlabKey) -> Bool
    ) -> Bool {
        guard let index = position(peer), let key = peers[index].outstanding[sequence], isExpected(key),
            var call = calls[key], call.lost(peer, limits: limits, budget: &budget, at: now) == .again
        else { return false }
        calls[key] = call
        forget(sequence, at: index)
        enqueue(key)
        reportEmpty(index)
        dispatch(at: now, using: &random)
        return true
    }

    mutating func refused(
        _ peer: PeerID, sequence: UInt64, _ reason: NackReason, at now: Instant,
        using random: inout some RandomNumberGenerator
    ) {
        guard let index = position(peer), let key = peers[index].outstanding[sequence] else { return }
        forget(sequence, at: index)
        if reason == .busy { peers[index].busyUntil = now + limits.busyPause }
        // Who drains, or does not know this connection, would refuse all the rest of the line too.
        if reason == .draining || reason == .noSession {
            peers[index].isDraining = true
            announce()
            failPinned(index)
        }
        if var call = calls[key] {
            if reason == .noMethod { peers[index].lacking.insert(call.method.id) }
            let decision = call.refused(
                reason, by: peer, sequence: sequence,
                isKnownElsewhere: call.instance == nil && mayKnow(call.method), limits: limits, at: now)
            calls[key] = call
            settle(key, decision)
        }
        reportEmpty(index)
        dispatch(at: now, using: &random)
    }

    // MARK: the line

    private func position(_ peer: PeerID) -> Int? { peers.firstIndex { $0.id == peer } }

    private mutating func announce() {
        let ready = Set(peers.filter { !$0.isPaused && !$0.isDraining }.map(\.instance))
        guard ready != announced else { return }
        announced = ready
        effects.append(.readyInstances(ready))
    }

    private mutating func reportEmpty(_ index: Int) {
        if peers[index].isDraining, peers[index].outstanding.isEmpty { effects.append(.empty(peers[index].id)) }
    }

    private mutating func enqueue(_ key: SlabKey) {
        guard let call = calls[key] else { return }
        if let instance = call.instance {
            guard let index = peers.firstIndex(where: { $0.instance == instance && !$0.isDraining }) else {
                queuedPinned += 1
                if let decision = calls[key]?.instanceGone() { abandon(key, .queued, decision) }
                return
            }
            queuedPinned += 1
            peers[index].pinned.compact(live: queuedPinned) { [calls] in calls[$0]?.state == .queued }
            peers[index].pinned.append(key)
        } else if call.method.wait == .parked {
            queuedParked += 1
            parked.append(key)
        } else {
            queuedOrdinary += 1
            ordinary.append(key)
        }
    }

    mutating func settle(_ key: SlabKey, _ decision: RequestMachine.Decision) {
        switch decision {
        case .ignore: break
        case .again: enqueue(key)
        case .end(let outcome):
            calls.remove(key)
            effects.append(.finish(key, outcome))
        }
    }

    /// Ends a call from this side: its callee is told, or its place in the line is given up.
    private mutating func abandon(_ key: SlabKey, _ state: RequestMachine.State, _ decision: RequestMachine.Decision) {
        switch state {
        case .sent(let peer, let sequence):
            effects.append(.cancel(peer, sequence: sequence))
            if let index = position(peer) {
                forget(sequence, at: index)
                reportEmpty(index)
            }
        case .queued: leaveLine(key)
        case .done: break
        }
        settle(key, decision)
    }

    private mutating func leaveLine(_ key: SlabKey) {
        guard let call = calls[key] else { return }
        if call.instance != nil {
            queuedPinned -= 1
        } else if call.method.wait == .parked {
            queuedParked -= 1
            parked.compact(live: queuedParked) { [calls] in calls[$0]?.state == .queued }
        } else {
            queuedOrdinary -= 1
            ordinary.compact(live: queuedOrdinary) { [calls] in calls[$0]?.state == .queued }
        }
    }

    private mutating func forget(_ sequence: UInt64, at index: Int) {
        guard peers[index].outstanding.removeValue(forKey: sequence) != nil else { return }
        if !Sequence.isParked(sequence) { peers[index].ordinary -= 1 }
    }

    private mutating func failPinned(_ index: Int) {
        while let key = peers[index].pinned.popFirst() {
            guard calls[key]?.state == .queued, let decision = calls[key]?.instanceGone() else { continue }
            abandon(key, .queued, decision)
        }
    }

    /// The next that `pop` gives and that still waits.
    mutating func nextQueued(_ pop: (inout CallerMachine) -> SlabKey?) -> SlabKey? {
        while let key = pop(&self) {
            if calls[key]?.state == .queued { return key }
        }
        return nil
    }
}
