package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteChallengeRecords {
    @discardableResult
    package func append(_ message: OutboxRecord) throws -> Int64 {
        try execute(
            """
            INSERT INTO outbox (kind, challenge, body, origin, trace, created_at, useful_until, attempts_left, due_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                message.kind.rawValue, message.challenge.rawValue, Data(message.body), message.origin.description,
                message.trace, message.createdAt.milliseconds,
                message.usefulUntil?.milliseconds, message.attemptsLeft, message.dueAt.milliseconds,
            ])
        return database.lastInsertedRowID
    }

    package func dueMessages(for receiver: OutboxRecord.Receiver, at time: Timestamp, limit: Int) throws
        -> [OutboxRecord]
    {
        try records(
            """
            SELECT *, \(OutboxRecord.isOverInSQL) AS is_over FROM outbox
            WHERE due_at <= ? AND kind IN (\(receiver.kindsInSQL)) ORDER BY due_at, sequence LIMIT ?
            """,
            [time.milliseconds, limit], Self.message)
    }

    package func leaseDueMessages(
        for receiver: OutboxRecord.Receiver, at time: Timestamp, until: Timestamp, limit: Int
    ) throws -> [OutboxRecord] {
        try records(
            """
            UPDATE outbox SET due_at = ? WHERE sequence IN (
                SELECT sequence FROM outbox WHERE due_at <= ? AND kind IN (\(receiver.kindsInSQL))
                ORDER BY due_at, sequence LIMIT ?)
            RETURNING *, \(OutboxRecord.isOverInSQL) AS is_over
            """,
            [until.milliseconds, time.milliseconds, limit], Self.message
        ).sorted { $0.sequence < $1.sequence }
    }

    private static func message(_ row: Row) throws -> OutboxRecord {
        guard let origin = RequestID(row["origin"] as String) else { throw StorageError.corrupt }
        return OutboxRecord(
            sequence: row["sequence"], kind: try row.word("kind"), challenge: row.id("challenge"),
            body: row.bytes("body"),
            origin: origin, trace: row["trace"], createdAt: row.time("created_at"),
            usefulUntil: row.optionalTime("useful_until"),
            attemptsLeft: row["attempts_left"], dueAt: row.time("due_at"), isOver: row["is_over"])
    }

    package func nextMessageDue(after time: Timestamp) throws -> Timestamp? {
        try record("SELECT due_at FROM outbox WHERE due_at > ? ORDER BY due_at LIMIT 1", [time.milliseconds]) {
            $0.time("due_at")
        }
    }

    package func recallMessages(dueAfter horizon: Timestamp, to time: Timestamp) throws {
        try execute(
            "UPDATE outbox SET due_at = ? WHERE due_at > ?", [time.milliseconds, horizon.milliseconds])
    }

    package func outboxBacklog() throws -> Backlog {
        try backlog("SELECT count(*) AS count, min(created_at) AS oldest FROM outbox")
    }

    package func deleteMessage(_ sequence: Int64) throws {
        try execute("DELETE FROM outbox WHERE sequence = ?", [sequence])
    }

    package func postpone(_ message: OutboxRecord) throws {
        try execute(
            "UPDATE outbox SET attempts_left = ?, due_at = ? WHERE sequence = ?",
            [message.attemptsLeft, message.dueAt.milliseconds, message.sequence])
    }
}

extension SQLiteChallengeRecords {
    package func budget(tenant: TenantID, person: PersonID) throws -> RequestBudget? {
        try record("SELECT * FROM request_budget WHERE tenant = ? AND person = ?", [tenant.rawValue, person.rawValue]) {
            row in
            let misses = try row.lines("misses").map { line in
                guard let milliseconds = Int64(line) else { throw StorageError.corrupt }
                return Timestamp(milliseconds: milliseconds)
            }
            return RequestBudget(
                misses: misses, silentUntil: row.optionalTime("silent_until"),
                riskRaisedUntil: row.optionalTime("risk_raised_until"))
        }
    }

    /// There is one writer, and its turn it is.
    package func takeTurn(tenant: TenantID, person: PersonID) {}

    package func save(_ budget: RequestBudget, tenant: TenantID, person: PersonID) throws {
        try execute(
            """
            INSERT INTO request_budget (tenant, person, misses, silent_until, risk_raised_until) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (tenant, person) DO UPDATE SET
                misses = excluded.misses, silent_until = excluded.silent_until, risk_raised_until = excluded.risk_raised_until
            """,
            [
                tenant.rawValue, person.rawValue, budget.misses.map { String($0.milliseconds) }.joined(separator: "\n"),
                budget.silentUntil?.milliseconds, budget.riskRaisedUntil?.milliseconds,
            ])
    }
}
