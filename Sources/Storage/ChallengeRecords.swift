package import Domain

/// Everything that the challenge service stores.
package protocol ChallengeRecords: OpenChallengeRecords, OutboxRecords, RequestBudgetRecords, SignInRecords, MemoRecords
{}

package protocol OpenChallengeRecords {
    func challenge(_ id: ChallengeID, tenant: TenantID) throws -> ChallengeRecord?
    /// Throws `alreadyExists` when the id is taken.
    func insert(_ challenge: ChallengeRecord) throws
    /// Replaces the record whose revision is still `challenge.revision`, and moves the revision; else throws `conflict`.
    func update(_ challenge: ChallengeRecord) throws
    /// The person's challenges that time can still change, oldest first: pending, or approved and not redeemed. Of decoys, the approved
    /// ones alone; for the others see `pendingDecoys`.
    func liveChallenges(tenant: TenantID, person: PersonID) throws -> [ChallengeRecord]
    /// The person's decoys that nothing has settled, of which anybody can make any number: oldest first, at most `limit`.
    func pendingDecoys(tenant: TenantID, person: PersonID, createdUntil: Timestamp, limit: Int) throws
        -> [ChallengeRecord]
    /// What can still lapse, soonest first: at most `limit` after `after`.
    func lapses(after: Lapse?, limit: Int) throws -> [Lapse]
    /// Deletes at most `limit` challenges that can no longer change and were settled before `time`; returns how many.
    func deleteChallenges(settledBefore time: Timestamp, limit: Int) throws -> Int
}

/// When a challenge expires, or an approval can no longer be redeemed.
package struct Lapse: Hashable, Sendable {
    package let at: Timestamp
    package let id: ChallengeID
    package let tenant: TenantID

    package init(at: Timestamp, id: ChallengeID, tenant: TenantID) {
        self.at = at
        self.id = id
        self.tenant = tenant
    }
}

/// A message that has to reach another service, committed with the change that causes it.
package struct OutboxRecord: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// To notifier: a challenge to show.
        case notify
        /// To notifier: a challenge to stop showing.
        case settled
        /// To registration: the effect of a device's own challenge.
        case confirm
        /// To nobody: it makes a decoy cost what a challenge costs.
        case nothing

        package var receiver: Receiver { self == .confirm ? .registration : .notifier }
    }

    /// Who is slow or away holds up only what is for them. What is for nobody goes where a challenge would.
    package enum Receiver: Sendable, CaseIterable {
        case notifier, registration

        package var kinds: [Kind] { Kind.allCases.filter { $0.receiver == self } }

        /// The kinds as a list of SQL. Our own words: they need no escape.
        package var kindsInSQL: String { kinds.map { "'\($0.rawValue)'" }.joined(separator: ", ") }
    }

    /// The store's own order; 0 before it is stored.
    package var sequence: Int64
    package let kind: Kind
    package let challenge: ChallengeID
    /// The request's bytes, sealed: they hold push addresses.
    package let body: [UInt8]
    /// The public request that caused it, to search logs for.
    package let origin: RequestID
    /// The `traceparent` of what caused it (W3C Trace Context); nil when that is not traced.
    package let trace: String?
    package let createdAt: Timestamp
    /// After this the message is of no use to anybody. Nil: it must arrive.
    package let usefulUntil: Timestamp?
    /// How many more times it may be sent without knowing whether the last time arrived. Nil: as often as it takes.
    package var attemptsLeft: Int?
    package var dueAt: Timestamp
    /// Of one to show a challenge, when it was read: the challenge is not open any more.
    package var isOver: Bool

    /// Of a row of the outbox, whether it is over, in SQL.
    package static let isOverInSQL = """
        kind = 'notify' AND NOT EXISTS (
            SELECT 1 FROM challenge WHERE challenge.id = outbox.challenge AND challenge.status = 'pending')
        """

    package init(
        sequence: Int64 = 0, kind: Kind, challenge: ChallengeID, body: [UInt8], origin: RequestID,
        trace: String? = nil, createdAt: Timestamp, usefulUntil: Timestamp?, attemptsLeft: Int?, dueAt: Timestamp,
        isOver: Bool = false
    ) {
        self.isOver = isOver
        self.sequence = sequence
        self.kind = kind
        self.challenge = challenge
        self.body = body
        self.origin = origin
        self.trace = trace
        self.createdAt = createdAt
        self.usefulUntil = usefulUntil
        self.attemptsLeft = attemptsLeft
        self.dueAt = dueAt
    }
}

package protocol OutboxRecords {
    /// Returns the sequence under which it is stored.
    @discardableResult
    func append(_ message: OutboxRecord) throws -> Int64
    /// What is due for `receiver` at `time`, longest due first, at most `limit`.
    func dueMessages(for receiver: OutboxRecord.Receiver, at time: Timestamp, limit: Int) throws -> [OutboxRecord]
    /// Of what is due for `receiver` at `time`, at most `limit` messages, which are then due again at `until`: of several processes one gets each.
    func leaseDueMessages(for receiver: OutboxRecord.Receiver, at time: Timestamp, until: Timestamp, limit: Int) throws
        -> [OutboxRecord]
    /// When the next message after `time` is due; nil when there is none.
    func nextMessageDue(after time: Timestamp) throws -> Timestamp?
    /// Makes what is due after `horizon` due at `time`.
    func recallMessages(dueAfter horizon: Timestamp, to time: Timestamp) throws
    func outboxBacklog() throws -> Backlog
    func deleteMessage(_ sequence: Int64) throws
    /// Puts a message off; harmless when it has gone.
    func postpone(_ message: OutboxRecord) throws
}

package protocol RequestBudgetRecords {
    func budget(tenant: TenantID, person: PersonID) throws -> RequestBudget?
    func save(_ budget: RequestBudget, tenant: TenantID, person: PersonID) throws
    /// Of transactions that take the turn of one person each sees what those before it have committed, whether it read that before or
    /// after this call. Whoever decides by what it only reads takes it: what it writes is compared anyway.
    func takeTurn(tenant: TenantID, person: PersonID) throws
}
