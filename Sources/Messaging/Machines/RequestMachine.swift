import Wire

/// The fate of one call on the caller's side. Ends exactly once.
struct RequestMachine {
    enum State: Equatable {
        case queued
        case sent(PeerID, sequence: UInt64)
        case done
    }

    /// How a call ends.
    enum Outcome: Equatable, Sendable {
        /// The callee replied; the body is with the frame.
        case replied
        /// Never executed.
        case refused(NackReason)
        /// Sent, and no reply: it may have been executed.
        case unknown
        case expired(wasSent: Bool)
        case cancelled(wasSent: Bool)
        /// The one instance that was asked for is not ready.
        case instanceGone(wasSent: Bool)
    }

    enum Decision: Equatable {
        /// Back into the queue, to be sent elsewhere.
        case again
        case end(Outcome)
        /// The event belongs to an earlier attempt.
        case ignore
    }

    let method: Method
    let deadline: ContinuousClock.Instant
    /// The only instance that may answer, if the caller named one.
    let instance: InstanceID?
    private(set) var state = State.queued
    /// Times that it was sent after its fate became unknown.
    private(set) var retries = 0
    private(set) var refusals = 0
    /// Whether some attempt may have run: it was sent, and neither refused nor answered.
    private(set) var wasSent = false

    init(method: Method, deadline: ContinuousClock.Instant, instance: InstanceID?) {
        self.method = method
        self.deadline = deadline
        self.instance = instance
    }

    var attempt: UInt16 { UInt16(clamping: retries + refusals) }

    mutating func sent(to peer: PeerID, sequence: UInt64) {
        state = .sent(peer, sequence: sequence)
        wasSent = true
    }

    mutating func replied(by peer: PeerID, sequence: UInt64) -> Decision {
        guard state == .sent(peer, sequence: sequence) else { return .ignore }
        return end(.replied)
    }

    /// The callee did not execute it: safe to send elsewhere at once, unless elsewhere would say the same. `isKnownElsewhere` says of
    /// NO_METHOD that an instance of another version may have the method.
    mutating func refused(
        _ reason: NackReason, by peer: PeerID, sequence: UInt64, isKnownElsewhere: Bool = false, limits: BusLimits,
        at now: ContinuousClock.Instant
    ) -> Decision {
        guard state == .sent(peer, sequence: sequence) else { return .ignore }
        // A refusal speaks for this attempt alone: one that was lost before may have run, and then the doubt stays.
        wasSent = retries > 0
        let end = wasSent ? Outcome.unknown : .refused(reason)
        switch reason {
        case .noMethod where !isKnownElsewhere: return self.end(end)
        case .expired, .denied: return self.end(end)
        case .noMethod, .busy, .draining, .noSession:
            guard now < deadline, refusals < limits.refusalsMax else { return self.end(end) }
            refusals += 1
            state = .queued
            return .again
        }
    }

    /// The connection ended with this call outstanding. Every method is a read or keyed by its request id, so it may be repeated.
    mutating func lost(_ peer: PeerID, limits: BusLimits, budget: inout RetryBudget, at now: ContinuousClock.Instant)
        -> Decision
    {
        guard case .sent(peer, _) = state else { return .ignore }
        guard instance == nil else { return end(.instanceGone(wasSent: true)) }
        guard now < deadline, mayRetry(limits: limits, budget: &budget, at: now) else { return end(.unknown) }
        retries += 1
        state = .queued
        return .again
    }

    /// Every instance that is ready, or suspect, is of a version without the method.
    mutating func knownNowhere() -> Decision {
        state == .queued ? end(wasSent ? .unknown : .refused(.noMethod)) : .ignore
    }

    mutating func expire() -> Decision { state == .done ? .ignore : end(.expired(wasSent: wasSent)) }
    mutating func cancel() -> Decision { state == .done ? .ignore : end(.cancelled(wasSent: wasSent)) }

    /// The named instance is not there (any more).
    mutating func instanceGone() -> Decision { state == .queued ? end(.instanceGone(wasSent: wasSent)) : .ignore }

    /// A parked read costs little where it goes and moves on as long as its deadline lasts; the rest has retries to spend.
    private func mayRetry(limits: BusLimits, budget: inout RetryBudget, at now: ContinuousClock.Instant) -> Bool {
        if method.wait == .parked, method.effect == .reads { return true }
        return retries < limits.retriesMax && budget.spend(at: now)
    }

    private mutating func end(_ outcome: Outcome) -> Decision {
        state = .done
        return .end(outcome)
    }
}

/// One connection to one callee: a new number for every epoch.
struct PeerID: Hashable, Sendable {
    let rawValue: UInt64
}
