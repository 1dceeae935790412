import Domain
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

/// One store transaction in the service's terms: whatever changes a challenge also writes its line in the log, the person's
/// budget and the messages that others must get. A decoy writes the same rows as a challenge, so that it costs the same.
struct ChallengeTransaction {
    /// What the process does once the transaction is on disk.
    struct Effects: Sendable {
        var lapses: [Lapse] = []
        /// Of which time makes nothing more.
        var ended: [ChallengeID] = []
        /// Whoever waits for one of them looks again: nothing else ends a wait.
        var settled: [Settled] = []
        /// Messages that this process sends at once.
        var sending: [OutboxRecord] = []
        /// Devices that sign-ins were approved with.
        var used: [DeviceUse] = []
        var outboxDue: [OutboxRecord.Receiver: Timestamp] = [:]
    }

    /// How a challenge ended.
    struct Settled: Sendable {
        let id: ChallengeID
        let purpose: Purpose
        let isDecoy: Bool
        let status: ChallengeStatus
        let reason: DenialReason?
        let method: SignInMethod?
        /// From its begin to its end.
        let duration: Duration
    }

    /// Why a challenge changed, for the log and the budget.
    struct Change {
        var reason: SignInReason?
        var budget: RequestBudget.Event?
        var device: DeviceID?
        var deviceName = ""
        /// When the store gives the outbox its turn at a device's own challenge.
        var confirmAt: Timestamp?
    }

    let records: any ChallengeRecords
    let tenant: TenantView
    let time: Timestamp
    let sealer: Sealer
    let origin: RequestID
    /// The `traceparent` of the request that this serves; nil when it is not traced.
    let trace: String?
    private var turn: OutboxTurn
    private var effects = Effects()
    /// Budgets that have changed here.
    private var budgets: [PersonID: RequestBudget] = [:]
    /// Where the outbox keeps the effect of a device's own challenge.
    private(set) var confirmSequence: Int64?

    init(
        records: any ChallengeRecords, tenant: TenantView, time: Timestamp, sealer: Sealer, turn: OutboxTurn,
        for call: CallContext
    ) {
        self.turn = turn
        self.records = records
        self.tenant = tenant
        self.time = time
        self.sealer = sealer
        origin = call.originID
        trace = call.trace.sampled ? call.trace.traceparent : nil
    }

    /// Whatever a transaction did, it comes to challenges first and to budgets last, in one order: two never wait for each other.
    func finish() throws -> Effects {
        for (person, budget) in budgets.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            try records.save(budget, tenant: tenant.id, person: person)
        }
        return effects
    }

    // MARK: Begin

    /// Stores a new challenge, its line in the log, and the message that shows it to its targets.
    mutating func begin(_ challenge: ChallengeRecord, line: SignInRecord, show notify: Notify) throws {
        try records.insert(challenge)
        try records.insert(line)
        let rings = !challenge.isDecoy && !challenge.isSilenced
        try append(
            rings ? .notify : .nothing, challenge, try notify.serializedBytes(),
            usefulUntil: challenge.machine.rules.expiresAt,
            attempts: tenant.settings.notificationsPerRequest)
        noteLapse(of: challenge)
    }

    /// The person's challenges that are open now. Those whose time has passed are settled first, so that the budget is right.
    mutating func openChallenges(of person: PersonID) throws -> [ChallengeRecord] {
        try records.liveChallenges(tenant: tenant.id, person: person).filter { challenge in
            try !lapse(challenge) && challenge.machine.takesPlace(at: time)
        }
    }

    /// As this transaction will leave it.
    func budget(of person: PersonID) throws -> RequestBudget {
        try budgets[person] ?? records.budget(tenant: tenant.id, person: person) ?? RequestBudget()
    }

    /// Notes what happened in the person's budget, which is written even where it stays the same.
    mutating func record(_ event: RequestBudget.Event?, at time: Timestamp, of person: PersonID) throws {
        var budget = try budget(of: person)
        if let event { budget.record(event, at: time, rules: RequestBudget.Rules(tenant.settings)) }
        budgets[person] = budget
    }

    /// Has of the transactions that begin a request of one person each see what those before it have committed. The turn has a row of
    /// its own beside the budgets: whoever begins many requests for a name does not hold up who answers one.
    func takeTurn(of person: PersonID) throws {
        try records.takeTurn(tenant: tenant.id, person: PersonID("turn-\(Self.place(of: person.rawValue))"))
    }

    /// Where the budget of a name that is nobody's would be: one of some thousand rows, so that requests for different names do not
    /// wait for each other, as those of different people do not, and so that they do not fill the store.
    static func nobody(_ username: String) -> PersonID {
        PersonID("nobody-\(place(of: FoldedUsername(username).rawValue))")
    }

    private static func place(of text: String) -> Int {
        let digest = sha256(Array(text.utf8))
        return Int(digest[0]) << 4 | Int(digest[1]) >> 4
    }

    // MARK: Change

    /// Makes an expiry that time has brought part of the store. Returns whether there was one.
    @discardableResult
    mutating func lapse(_ challenge: ChallengeRecord) throws -> Bool {
        var challenge = challenge
        switch challenge.machine.lapse(at: time) {
        case .nothing: return false
        case .unanswered: try settle(challenge, Change(reason: .timeout, budget: .missed))
        case .unredeemed: try store(challenge, Change(reason: .notRedeemed))
        }
        return true
    }

    /// Stores a challenge that has just been settled, with everything that follows.
    mutating func settle(_ challenge: ChallengeRecord, _ change: Change) throws {
        try store(challenge, change)
        try count(change.budget, challenge)
        let state = challenge.machine.state
        // A phone has made a code without knowing for which request.
        try withdraw(challenge, answeredBy: state.method == .code ? nil : change.device)
        if challenge.factor == nil { try confirm(challenge, at: change.confirmAt ?? time) }
        if challenge.factor != nil, state.status == .approved, let device = change.device {
            effects.used.append(DeviceUse(tenant: tenant.id, device: device, at: time))
        }
        effects.settled.append(
            Settled(
                id: challenge.id, purpose: challenge.purpose, isDecoy: challenge.isDecoy, status: state.status,
                reason: state.reason,
                method: state.method, duration: max((state.settledAt ?? time) - challenge.createdAt, .zero)))
    }

    /// Stores a changed challenge and its line in the log.
    mutating func store(_ challenge: ChallengeRecord, _ change: Change) throws {
        try records.update(challenge)
        let state = challenge.machine.state
        // Why a decoy never reached a phone is what an administrator looks for; a code may have settled it all the same.
        var line = SignInChange(reason: change.reason, setsReason: !challenge.isDecoy || state.method != nil)
        line.status = state.status
        line.method = state.method
        line.settledAt = state.settledAt
        if let device = change.device { (line.device, line.deviceName) = (device, change.deviceName) }
        try records.update(signIn: challenge.id, line)
        noteLapse(of: challenge)
    }

    /// Notes in the log what was tried in vain while a challenge stays open.
    func note(_ reason: SignInReason, on challenge: ChallengeRecord) throws {
        var line = SignInChange(reason: reason, setsReason: !challenge.isDecoy)
        line.isOfPendingOnly = true
        try records.update(signIn: challenge.id, line)
    }

    // MARK: What follows

    private mutating func count(_ event: RequestBudget.Event?, _ challenge: ChallengeRecord) throws {
        guard challenge.factor != nil else { return }
        // The moment of settlement counts, not of its discovery.
        try record(
            challenge.isDecoy ? nil : event, at: challenge.machine.state.settledAt ?? time,
            of: challenge.person?.id ?? Self.nobody(challenge.username))
    }

    /// Tells the phones that show it to stop. The one that answered is told too: it may show the challenge in more than one place.
    private mutating func withdraw(_ challenge: ChallengeRecord, answeredBy device: DeviceID?) throws {
        let status = challenge.machine.state.status
        let notify = Notify.with {
            $0.tenant = tenant.id.rawValue
            $0.challengeID = challenge.id.rawValue
            // Without addresses: a phone that listens is told, and notifier knows which of the others it has rung.
            $0.targets = challenge.targets.map { target in
                NotifyTarget.with { $0.deviceID = target.rawValue }
            }
            $0.event = DeviceEvent.settled.rawValue
            $0.purpose = challenge.purpose.rawValue
            $0.expiresAtMs = challenge.machine.rules.expiresAt.milliseconds
            $0.status = status.rawValue
            $0.answeredBy = device?.rawValue ?? ""
        }
        let shows = !challenge.isDecoy && !challenge.isSilenced && !notify.targets.isEmpty
        try append(
            shows ? .settled : .nothing, challenge, try notify.serializedBytes(),
            usefulUntil: time + Self.withdrawalUseful, attempts: 3)
    }

    /// Phones ask anew when their stream opens, so an older word that a challenge has ended tells them nothing.
    private static let withdrawalUseful = Duration.seconds(60)

    private mutating func confirm(_ challenge: ChallengeRecord, at due: Timestamp) throws {
        let body: [UInt8] = try ConfirmDevice(effectOf: challenge).serializedBytes()
        confirmSequence = try append(.confirm, challenge, body, usefulUntil: nil, attempts: nil, due: due)
    }

    @discardableResult
    private mutating func append(
        _ kind: OutboxRecord.Kind, _ challenge: ChallengeRecord, _ body: [UInt8], usefulUntil: Timestamp?,
        attempts: Int?,
        due: Timestamp? = nil
    ) throws -> Int64 {
        let isOwn = due == nil && turn.take()
        let due = isOwn ? turn.due : due ?? time
        var message = OutboxRecord(
            kind: kind, challenge: challenge.id, body: try sealer.seal(body, for: OutboxDispatcher.sealingPurpose),
            origin: origin, trace: trace, createdAt: time, usefulUntil: usefulUntil, attemptsLeft: attempts, dueAt: due)
        message.sequence = try records.append(message)
        if isOwn {
            effects.sending.append(message)
        } else {
            effects.outboxDue[kind.receiver] = min(effects.outboxDue[kind.receiver] ?? due, due)
        }
        return message.sequence
    }

    private mutating func noteLapse(of challenge: ChallengeRecord) {
        guard let at = challenge.machine.lapsesAt else { return effects.ended.append(challenge.id) }
        effects.lapses.append(Lapse(at: at, id: challenge.id, tenant: challenge.tenant))
    }
}

/// How many messages of a transaction this process sends itself, and when the store gives them to whoever looks, should it not.
struct OutboxTurn: Sendable {
    private(set) var places: Int
    let due: Timestamp

    /// Whether there was a place for one more.
    mutating func take() -> Bool {
        guard places > 0 else { return false }
        places -= 1
        return true
    }
}

extension ConfirmDevice {
    /// What registration has to do because of a settled challenge of a device.
    init(effectOf challenge: ChallengeRecord) {
        self = .with {
            $0.tenant = challenge.tenant.rawValue
            $0.challengeID = challenge.id.rawValue
            $0.deviceID = challenge.onlyDevice?.rawValue ?? ""
            $0.purpose = challenge.purpose.rawValue
            $0.approved = challenge.machine.state.status == .approved
        }
    }
}
