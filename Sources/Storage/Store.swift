package import Domain

/// A service's database. A transaction's body sees the store in Domain's terms and runs synchronously, so that decision and
/// effect are one; several bodies may share one commit, and no caller is answered before that commit is durable.
///
/// `Records` is a service's own protocol, e.g. `any ChallengeRecords`: a few lines a method, no SQL above a back end. A back end may run a body several times before it
/// commits one run: a body's only effects are on its records.
package protocol Store<Records>: Sendable {
    associatedtype Records

    /// Runs `body` in a transaction and returns what it returned, once that is on disk. What the body throws undoes it alone.
    /// The store's own failures are `StorageError`. What is not about to be committed at `deadline` is undone, and `unavailable`: by
    /// then the caller of a request has been told so, and counts on it even where this process was stopped meanwhile.
    func write<Result: Sendable>(
        until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result

    /// Runs `body` on a consistent snapshot.
    func read<Result: Sendable>(_ body: @escaping @Sendable (Records) throws -> Result) async throws -> Result

    /// As `read(_:)`, for a few rows that are found by their keys. A store that has them at hand reads them on the caller's thread,
    /// because a change of threads would take longer.
    func lookUp<Result: Sendable>(_ body: @escaping @Sendable (Records) throws -> Result) async throws -> Result

    /// Tells the other processes that share the store, after the commit that the word is about. At most 4,000 bytes. Returns at once.
    /// A word may be lost: it is a hint to look again, and never the truth itself.
    func announce(_ word: String)

    /// What the others announce, for one reader. Nil where this process has the store to itself.
    var announcements: AsyncStream<StoreAnnouncement>? { get }

    /// Writes, or where reads wait too, transactions that wait for their turn: a gauge.
    var waiting: Int { get }

    /// Whether the store answers and has all that this build's schema has.
    func check() async throws

    /// Takes nothing new, and returns when all that was accepted has ended and the database is free.
    func close() async
}

extension Store {
    package func lookUp<Result: Sendable>(
        _ body: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result {
        try await read(body)
    }

    /// As `write(until:_:)`, for what no caller waits for.
    package func write<Result: Sendable>(
        _ body: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result {
        try await write(until: nil, body)
    }
}

/// The ways in which a store fails.
package enum StorageError: Error, Hashable, Sendable {
    case notFound
    case alreadyExists
    /// A compare-and-set found another revision.
    case conflict
    /// Disk full, locked, closing, too late: the same call may go through later. Nothing of it was applied.
    case unavailable
    /// The connection was lost while the commit was under way: it may or may not have happened. The same request id finds out.
    case unknown
    /// The file is not what this build wrote.
    case corrupt
}

/// As logs have it.
extension StorageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound: "the store has no such row"
        case .alreadyExists: "the store has such a row already"
        case .conflict: "the row was changed meanwhile"
        case .unavailable: "the store cannot be used, or others were faster again and again"
        case .unknown: "the connection to the store was lost during the commit"
        case .corrupt: "the store is not what this version wrote"
        }
    }
}

/// Messages that others have not taken yet.
package struct Backlog: Hashable, Sendable {
    package let count: Int
    /// When the oldest was stored; nil when there is none.
    package let oldest: Timestamp?

    package init(count: Int, oldest: Timestamp?) {
        self.count = count
        self.oldest = oldest
    }
}

/// The stored reply to a request that had an effect, committed with that effect.
package struct Memo: Hashable, Sendable {
    package let request: RequestID
    /// Tells the request's body from any other without revealing it: the same id with another body is refused.
    package let fingerprint: [UInt8]
    /// The reply, sealed by the caller when it holds a secret. Empty after `replyUntil`.
    package let reply: [UInt8]
    package let replyUntil: Timestamp
    package let keptUntil: Timestamp

    package init(request: RequestID, fingerprint: [UInt8], reply: [UInt8], replyUntil: Timestamp, keptUntil: Timestamp)
    {
        self.request = request
        self.fingerprint = fingerprint
        self.reply = reply
        self.replyUntil = replyUntil
        self.keptUntil = keptUntil
    }
}

/// Every service's records can remember replies.
package protocol MemoRecords {
    func memo(_ request: RequestID) throws -> Memo?
    /// Throws `alreadyExists` when the id is taken: of two racing executions one commits.
    func insert(_ memo: Memo) throws
    /// Deletes at most `limit` memos that need not be kept any more; returns how many.
    func deleteMemos(keptUntilBefore time: Timestamp, limit: Int) throws -> Int
}

/// A change as the audit log keeps it, written in the transaction that makes the change.
package struct AuditRecord: Hashable, Sendable {
    package var sequence: Int64
    package var tenant: TenantID
    package var at: Timestamp
    package var actorKind: String
    package var actorID: String
    package var actorName: String
    package var action: String
    package var target: String
    package var beforeJSON: String
    package var afterJSON: String
    package var requestID: String

    package init(
        sequence: Int64 = 0, tenant: TenantID, at: Timestamp, actorKind: String, actorID: String, actorName: String,
        action: String,
        target: String, beforeJSON: String = "", afterJSON: String = "", requestID: String
    ) {
        self.sequence = sequence
        self.tenant = tenant
        self.at = at
        self.actorKind = actorKind
        self.actorID = actorID
        self.actorName = actorName
        self.action = action
        self.target = target
        self.beforeJSON = beforeJSON
        self.afterJSON = afterJSON
        self.requestID = requestID
    }
}

/// Which entries of the audit log to read; nil asks for nothing.
package struct AuditFilter: Hashable, Sendable {
    /// The id or the name of who made the change, whatever its case.
    package var actor: String?
    /// A whole action, or its first word for all that begin with it.
    package var action: String?
    package var target: String?
    /// Included.
    package var from: Timestamp?
    /// Not included.
    package var to: Timestamp?

    package init() {}
}

/// The audit log of one service, newest first.
package protocol AuditRecords {
    func append(_ entry: AuditRecord) throws
    /// Entries with a sequence below `before` (nil: from the newest), at most `limit`.
    func auditEntries(tenant: TenantID, _ filter: AuditFilter, before: Int64?, limit: Int) throws -> [AuditRecord]
}
