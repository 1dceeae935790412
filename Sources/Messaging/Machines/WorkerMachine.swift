import Domain
import Wire

/// The answering side: who may ask, what runs, who waits for it, and how much each caller may still send.
struct WorkerMachine {
    typealias Instant = ContinuousClock.Instant

    enum Effect: Equatable {
        case ready(SessionID, creditLimit: UInt64)
        case nack(SessionID, sequence: UInt64, method: UInt16, RequestID, NackReason)
        /// Start the handler; its request is the one that was just handed in.
        case start(SlabKey)
        /// The request's sequence was used before: nothing is started, and nothing can be said of the earlier one.
        case ignored(method: UInt16)
        /// The request waits for the execution of the same request that runs.
        case joined(method: UInt16)
        /// Send the finished handler's reply.
        case reply(SessionID, sequence: UInt64, method: UInt16, RequestID)
        /// Nobody wants the answer any more, or its deadline has passed.
        case stop(SlabKey)
        case credit(SessionID)
        case beat(SessionID)
        case goAway(SessionID, lastSequence: UInt64)
        case drained
    }

    /// What admission looks at: nothing of it needs the body decoded.
    struct Request: Equatable {
        var sequence: UInt64
        var requestID: RequestID
        var method: UInt16
        var deadline: Instant
        /// Tells bodies apart, so that one id with two bodies is two executions and the store can refuse the second.
        var bodyDigest: Int
    }

    private struct Session {
        let caller: ServiceName
        var grant = CreditGrant()
        var parked = 0
        var highestSequence: UInt64 = 0
        var highestParked: UInt64 = Sequence.parkedBit
        var heardAt: Instant
        /// What this caller waits for, by its sequence.
        var waiting: [UInt64: SlabKey] = [:]

        func isNew(_ sequence: UInt64) -> Bool {
            Sequence.isParked(sequence) ? sequence > highestParked : grant.isNew(sequence)
        }

        /// False when the sequence is above the credit.
        mutating func see(_ sequence: UInt64) -> Bool {
            if Sequence.isParked(sequence) {
                highestParked = sequence
                return true
            }
            highestSequence = max(highestSequence, sequence)
            return grant.see(sequence)
        }
    }

    private struct Waiter {
        let session: SessionID
        let sequence: UInt64
        var wantsReply = true
    }

    /// Requests with the same identity while one runs get that one's reply.
    private struct Identity: Hashable {
        let requestID: RequestID
        let method: UInt16
        let caller: ServiceName
        let bodyDigest: Int
    }

    private struct Execution {
        let identity: Identity
        let isParked: Bool
        var deadline: Instant
        var waiters: [Waiter]
        var isStopped = false
    }

    private let methods: [UInt16: Method]
    private let limits: BusLimits
    private var sessions: [SessionID: Session] = [:]
    private var executions = Slab<Execution>()
    private var byIdentity: [Identity: SlabKey] = [:]
    private var timers = TimerHeap<ContinuousClock.Instant, SlabKey>()
    private var running = 0
    private var parked = 0
    private var beatAt: Instant
    private var drainUntil: Instant?
    private var isDrained = false
    /// Whether what is asked can be answered: READY waits for it.
    private var isOpen: Bool
    private(set) var effects: [Effect] = []

    init(methods: [UInt16: Method], limits: BusLimits, now: Instant, isOpen: Bool = true) {
        self.methods = methods
        self.limits = limits
        self.isOpen = isOpen
        beatAt = now + limits.heartbeatInterval
    }

    var runningCount: Int { running }
    var parkedCount: Int { parked }
    var sessionCount: Int { sessions.count }
    var isDraining: Bool { drainUntil != nil }
    /// For the header: running ordinary requests in the upper half, parked ones in the lower.
    var load: UInt32 { UInt32(UInt16(clamping: running)) << 16 | UInt32(UInt16(clamping: parked)) }

    func caller(of session: SessionID) -> ServiceName? { sessions[session]?.caller }
    func deadline(of execution: SlabKey) -> Instant? { executions[execution]?.deadline }

    mutating func takeEffects() -> [Effect] {
        guard !effects.isEmpty else { return [] }
        defer { effects = [] }
        return effects
    }

    var nextTick: Instant? { [beatAt, timers.next, isDrained ? nil : drainUntil].compactMap { $0 }.min() }

    /// The limit that the next frame to this caller carries.
    mutating func creditLimit(of session: SessionID) -> UInt64 {
        let window = window
        return sessions[session]?.grant.advertise(window: window) ?? 0
    }

    private var window: Int {
        isDraining ? 0 : min(limits.windowMax, max(1, limits.runningMax / max(1, sessions.count)))
    }

    // MARK: sessions

    /// A caller introduces itself; `caller` is proved by its key, or by its access to the folder.
    mutating func hello(_ session: SessionID, caller: ServiceName, at now: Instant) {
        if sessions[session] == nil {
            guard sessions.count < limits.sessionsMax, !isDraining else {
                effects.append(.goAway(session, lastSequence: 0))
                return
            }
            sessions[session] = Session(caller: caller, heardAt: now)
        }
        if isOpen { effects.append(.ready(session, creditLimit: creditLimit(of: session))) }
    }

    /// The process can serve: so are told those who have introduced themselves, and all who come.
    mutating func open() {
        guard !isOpen, !isDraining else { return }
        isOpen = true
        for session in sessions.keys { effects.append(.ready(session, creditLimit: creditLimit(of: session))) }
    }

    /// Any frame of a caller; `highestSequence` repairs credit after a loss.
    mutating func heard(_ session: SessionID, highestSequence: UInt64? = nil, at now: Instant) {
        guard sessions[session] != nil else { return }
        sessions[session]?.heardAt = now
        if let highestSequence { sessions[session]?.grant.see(highestSequence) }
    }

    /// The caller cannot be reached any more: what only it wanted is stopped.
    mutating func gone(_ session: SessionID) {
        guard let left = sessions.removeValue(forKey: session) else { return }
        for key in Set(left.waiting.values) {
            executions[key]?.waiters.removeAll { $0.session == session }
            stopIfUnwanted(key)
        }
    }

    // MARK: requests

    mutating func request(_ request: Request, from session: SessionID, at now: Instant) {
        guard sessions[session] != nil else { return refuse(request, session, .noSession) }
        sessions[session]?.heardAt = now
        guard sessions[session]?.isNew(request.sequence) == true else {
            return effects.append(.ignored(method: request.method))
        }
        let isParked = Sequence.isParked(request.sequence)
        let isWithinCredit = sessions[session]?.see(request.sequence) == true
        if let reason = objection(to: request, session, isParked: isParked, isWithinCredit: isWithinCredit, at: now) {
            return refuse(request, session, reason)
        }
        guard let caller = sessions[session]?.caller else { return }
        let identity = Identity(
            requestID: request.requestID, method: request.method, caller: caller, bodyDigest: request.bodyDigest)
        if let key = byIdentity[identity], executions[key]?.isStopped == false {
            join(key, request, session, isParked)
        } else {
            admit(identity, request, session, isParked)
        }
    }

    /// Why a request may not run; the order is part of the protocol: authority first, then time, then room.
    private func objection(
        to request: Request, _ session: SessionID, isParked: Bool, isWithinCredit: Bool, at now: Instant
    ) -> NackReason? {
        guard let known = sessions[session] else { return .noSession }
        guard let method = methods[request.method] else { return .noMethod }
        guard method.callers.contains(known.caller) else { return .denied }
        // The two kinds have different limits, so a caller may not choose its own.
        guard (method.wait == .parked) == isParked else { return .noMethod }
        guard !isDraining else { return .draining }
        guard isOpen else { return .busy }
        guard request.deadline > now + limits.deadlineMin else { return .expired }
        if isParked {
            return known.parked < limits.parkedPerConnectionMax && parked < limits.parkedMax ? nil : .busy
        }
        return isWithinCredit && running < limits.runningMax ? nil : .busy
    }

    private mutating func refuse(_ request: Request, _ session: SessionID, _ reason: NackReason) {
        effects.append(.nack(session, sequence: request.sequence, method: request.method, request.requestID, reason))
    }

    private mutating func admit(_ identity: Identity, _ request: Request, _ session: SessionID, _ isParked: Bool) {
        let key = executions.insert(
            Execution(
                identity: identity, isParked: isParked, deadline: request.deadline,
                waiters: [Waiter(session: session, sequence: request.sequence)]))
        byIdentity[identity] = key
        timers.insert(key, due: request.deadline)
        timers.compact(live: executions.count) { [executions] in executions[$0] != nil }
        if isParked { parked += 1 } else { running += 1 }
        count(key, request, session, isParked)
        effects.append(.start(key))
    }

    private mutating func join(_ key: SlabKey, _ request: Request, _ session: SessionID, _ isParked: Bool) {
        executions[key]?.waiters.append(Waiter(session: session, sequence: request.sequence))
        if let deadline = executions[key]?.deadline, request.deadline > deadline {
            executions[key]?.deadline = request.deadline
            timers.insert(key, due: request.deadline)
        }
        count(key, request, session, isParked)
        effects.append(.joined(method: request.method))
    }

    private mutating func count(_ key: SlabKey, _ request: Request, _ session: SessionID, _ isParked: Bool) {
        sessions[session]?.waiting[request.sequence] = key
        if isParked { sessions[session]?.parked += 1 } else { sessions[session]?.grant.begin() }
    }

    /// The caller takes its request back.
    mutating func cancel(_ session: SessionID, sequence: UInt64, at now: Instant) {
        heard(session, highestSequence: Sequence.isParked(sequence) ? nil : sequence, at: now)
        guard let key = sessions[session]?.waiting[sequence] else { return }
        guard
            let index = executions[key]?.waiters.firstIndex(where: { $0.session == session && $0.sequence == sequence })
        else { return }
        executions[key]?.waiters[index].wantsReply = false
        stopIfUnwanted(key)
    }

    private mutating func stopIfUnwanted(_ key: SlabKey) {
        guard let execution = executions[key], !execution.isStopped, !execution.waiters.contains(where: \.wantsReply)
        else { return }
        stop(key)
    }

    private mutating func stop(_ key: SlabKey) {
        executions[key]?.isStopped = true
        effects.append(.stop(key))
    }

    /// The handler has returned: everybody who waits gets its reply.
    mutating func finished(_ key: SlabKey) {
        guard let execution = executions.remove(key) else { return }
        if byIdentity[execution.identity] == key { byIdentity[execution.identity] = nil }
        if execution.isParked { parked -= 1 } else { running -= 1 }
        for waiter in execution.waiters {
            sessions[waiter.session]?.waiting[waiter.sequence] = nil
            if execution.isParked {
                sessions[waiter.session]?.parked -= 1
            } else {
                sessions[waiter.session]?.grant.end()
            }
            guard sessions[waiter.session] != nil else { continue }
            if waiter.wantsReply {
                effects.append(
                    .reply(
                        waiter.session, sequence: waiter.sequence, method: execution.identity.method,
                        execution.identity.requestID))
            } else {
                effects.append(.credit(waiter.session))
            }
        }
        reportDrained()
    }

    // MARK: time and the end

    /// Beats, forgets silent callers, stops what is past its deadline.
    mutating func advance(to now: Instant) {
        if beatAt <= now {
            beatAt = now + limits.heartbeatInterval
            for (session, state) in sessions where state.heardAt + limits.deadAfter <= now { gone(session) }
            for session in sessions.keys { effects.append(.beat(session)) }
        }
        while let key = timers.popDue(at: now) {
            guard let execution = executions[key], execution.deadline <= now, !execution.isStopped else { continue }
            stop(key)
        }
        if let drainUntil, drainUntil <= now, !isDrained {
            for key in executions.keys where executions[key]?.isStopped == false { stop(key) }
            isDrained = true
            effects.append(.drained)
        }
    }

    /// No new work; what runs may finish; nobody stays parked: who waits to read is sent elsewhere, and who waits to do something is
    /// stopped, to get the reply that its handler then gives.
    mutating func drain(at now: Instant) {
        guard drainUntil == nil else { return }
        drainUntil = now + limits.drainTimeout
        for (session, state) in sessions { effects.append(.goAway(session, lastSequence: state.highestSequence)) }
        for key in executions.keys where executions[key]?.isParked == true && executions[key]?.isStopped == false {
            refuseIfRead(key)
            stop(key)
        }
        reportDrained()
    }

    /// A parked read has done nothing, so "not executed" is true of it. Of an effect only its handler knows.
    private mutating func refuseIfRead(_ key: SlabKey) {
        guard let execution = executions[key], methods[execution.identity.method]?.effect == .reads else { return }
        for index in execution.waiters.indices where execution.waiters[index].wantsReply {
            let waiter = execution.waiters[index]
            executions[key]?.waiters[index].wantsReply = false
            effects.append(
                .nack(
                    waiter.session, sequence: waiter.sequence, method: execution.identity.method,
                    execution.identity.requestID,
                    .draining))
        }
    }

    private mutating func reportDrained() {
        guard isDraining, !isDrained, executions.count == 0 else { return }
        isDrained = true
        effects.append(.drained)
    }
}

/// One connection of one caller, by the routing id that ROUTER gave it.
struct SessionID: Hashable, Sendable {
    let rawValue: UInt32
}
