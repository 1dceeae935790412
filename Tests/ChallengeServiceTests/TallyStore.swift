import Domain
import Storage
import Synchronization

/// Counts what is asked of a store, so that two requests can be compared by what they cost.
final class TallyStore: Store {
    typealias Records = any ChallengeRecords

    private let store: any Store<any ChallengeRecords>
    private let counts = Mutex<[String: Int]>([:])
    /// As several processes see it.
    private let isShared: Bool

    init(_ store: any Store<any ChallengeRecords>, isShared: Bool = false) {
        self.store = store
        self.isShared = isShared
    }

    /// What was asked since the last call.
    func take() -> [String: Int] {
        counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
    }

    func write<Result: Sendable>(
        until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (any ChallengeRecords) throws -> Result
    ) async throws -> Result {
        count("transaction")
        return try await store.write(until: deadline) { records in
            try body(TallyRecords(records: records, count: self.count))
        }
    }

    func read<Result: Sendable>(_ body: @escaping @Sendable (any ChallengeRecords) throws -> Result) async throws
        -> Result
    {
        count("snapshot")
        return try await store.read { records in try body(TallyRecords(records: records, count: self.count)) }
    }

    func announce(_ word: String) {
        count("announce")
        store.announce(word)
    }
    var announcements: AsyncStream<StoreAnnouncement>? { isShared ? AsyncStream { _ in } : store.announcements }

    var waiting: Int { store.waiting }

    func check() async throws { try await store.check() }

    func close() async { await store.close() }

    private func count(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }
}

private struct TallyRecords: ChallengeRecords {
    let records: any ChallengeRecords
    let count: (String) -> Void

    private func counted<Value>(_ name: String = #function, _ body: (any ChallengeRecords) throws -> Value) rethrows
        -> Value
    {
        count(name)
        return try body(records)
    }

    func challenge(_ id: ChallengeID, tenant: TenantID) throws -> ChallengeRecord? {
        try counted { try $0.challenge(id, tenant: tenant) }
    }
    func insert(_ challenge: ChallengeRecord) throws { try counted("insert challenge") { try $0.insert(challenge) } }
    func update(_ challenge: ChallengeRecord) throws { try counted("update challenge") { try $0.update(challenge) } }
    func liveChallenges(tenant: TenantID, person: PersonID) throws -> [ChallengeRecord] {
        try counted { try $0.liveChallenges(tenant: tenant, person: person) }
    }
    func pendingDecoys(tenant: TenantID, person: PersonID, createdUntil: Timestamp, limit: Int) throws
        -> [ChallengeRecord]
    {
        try counted {
            try $0.pendingDecoys(tenant: tenant, person: person, createdUntil: createdUntil, limit: limit)
        }
    }
    func lapses(after: Lapse?, limit: Int) throws -> [Lapse] {
        try counted { try $0.lapses(after: after, limit: limit) }
    }
    func deleteChallenges(settledBefore time: Timestamp, limit: Int) throws -> Int {
        try counted { try $0.deleteChallenges(settledBefore: time, limit: limit) }
    }

    func append(_ message: OutboxRecord) throws -> Int64 { try counted { try $0.append(message) } }
    func dueMessages(for receiver: OutboxRecord.Receiver, at time: Timestamp, limit: Int) throws -> [OutboxRecord] {
        try counted { try $0.dueMessages(for: receiver, at: time, limit: limit) }
    }
    func leaseDueMessages(for receiver: OutboxRecord.Receiver, at time: Timestamp, until: Timestamp, limit: Int) throws
        -> [OutboxRecord]
    {
        try counted { try $0.leaseDueMessages(for: receiver, at: time, until: until, limit: limit) }
    }
    func nextMessageDue(after time: Timestamp) throws -> Timestamp? {
        try counted { try $0.nextMessageDue(after: time) }
    }
    func recallMessages(dueAfter horizon: Timestamp, to time: Timestamp) throws {
        try counted { try $0.recallMessages(dueAfter: horizon, to: time) }
    }

    func outboxBacklog() throws -> Backlog { try counted { try $0.outboxBacklog() } }
    func deleteMessage(_ sequence: Int64) throws { try counted { try $0.deleteMessage(sequence) } }
    func postpone(_ message: OutboxRecord) throws { try counted { try $0.postpone(message) } }

    func budget(tenant: TenantID, person: PersonID) throws -> RequestBudget? {
        try counted { try $0.budget(tenant: tenant, person: person) }
    }
    func save(_ budget: RequestBudget, tenant: TenantID, person: PersonID) throws {
        try counted { try $0.save(budget, tenant: tenant, person: person) }
    }
    func takeTurn(tenant: TenantID, person: PersonID) throws {
        try counted { try $0.takeTurn(tenant: tenant, person: person) }
    }

    func insert(_ line: SignInRecord) throws { try counted("insert line") { try $0.insert(line) } }
    func signIn(_ id: ChallengeID) throws -> SignInRecord? { try counted { try $0.signIn(id) } }
    func update(signIn id: ChallengeID, _ change: SignInChange) throws {
        try counted("update line") { try $0.update(signIn: id, change) }
    }
    func signIns(tenant: TenantID, _ filter: SignInFilter, limit: Int) throws -> [SignInRecord] {
        try counted { try $0.signIns(tenant: tenant, filter, limit: limit) }
    }
    func signInGroups(tenant: TenantID, in range: SignInRange, linesMax: Int) throws -> [SignInGroup] {
        try counted { try $0.signInGroups(tenant: tenant, in: range, linesMax: linesMax) }
    }
    func deleteSignIns(before time: Timestamp, limit: Int) throws -> Int {
        try counted { try $0.deleteSignIns(before: time, limit: limit) }
    }

    func memo(_ request: RequestID) throws -> Memo? { try counted { try $0.memo(request) } }
    func insert(_ memo: Memo) throws { try counted("insert memo") { try $0.insert(memo) } }
    func deleteMemos(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        try counted { try $0.deleteMemos(keptUntilBefore: time, limit: limit) }
    }
}
