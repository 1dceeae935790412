package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteRegistrationRecords {
    private static let columns = "sequence, kind, tenant, request, origin, body, created_at, due_at, fence, attempts"

    private func call(_ row: Row) throws -> OutboundCall {
        guard let request = RequestID(row["request"]), let origin = RequestID(row["origin"]) else {
            throw StorageError.corrupt
        }
        return OutboundCall(
            sequence: row["sequence"], kind: try row.word("kind"), tenant: TenantID(row["tenant"]), request: request,
            origin: origin,
            body: row.bytes("body"), createdAt: row.time("created_at"), dueAt: row.time("due_at"), fence: row["fence"],
            attempts: row["attempts"])
    }

    package func append(_ call: OutboundCall) throws -> Int64 {
        try change(
            """
            INSERT INTO outbound_call (kind, tenant, request, origin, body, created_at, due_at, fence, attempts)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                call.kind.rawValue, call.tenant.rawValue, call.request.description, call.origin.description,
                Data(call.body),
                call.createdAt.milliseconds, call.dueAt.milliseconds, call.fence, call.attempts,
            ])
        return database.lastInsertedRowID
    }

    package func lease(_ sequence: Int64, at time: Timestamp, until: Timestamp) throws -> OutboundCall? {
        let taken = try change(
            "UPDATE outbound_call SET due_at = ?, fence = fence + 1, attempts = attempts + 1 WHERE sequence = ? AND due_at <= ?",
            [until.milliseconds, sequence, time.milliseconds])
        guard taken == 1 else { return nil }
        return try record("SELECT \(Self.columns) FROM outbound_call WHERE sequence = ?", [sequence], call)
    }

    package func leaseDue(at time: Timestamp, until: Timestamp, limit: Int) throws -> [OutboundCall] {
        let due: [Int64] = try records(
            "SELECT sequence FROM outbound_call WHERE due_at <= ? ORDER BY due_at, sequence LIMIT ?",
            [time.milliseconds, limit]
        ) { $0["sequence"] }
        return try due.compactMap { try lease($0, at: time, until: until) }
    }

    package func finish(_ call: OutboundCall) throws -> Bool {
        try change("DELETE FROM outbound_call WHERE sequence = ? AND fence = ?", [call.sequence, call.fence]) == 1
    }

    package func postpone(_ call: OutboundCall, to time: Timestamp) throws {
        try change(
            "UPDATE outbound_call SET due_at = ? WHERE sequence = ? AND fence = ?",
            [time.milliseconds, call.sequence, call.fence])
    }

    package func nextCallDue() throws -> Timestamp? {
        try record("SELECT due_at FROM outbound_call ORDER BY due_at LIMIT 1", []) { $0.time("due_at") }
    }

    package func recallCalls(dueAfter horizon: Timestamp, to time: Timestamp) throws -> Int {
        try change(
            "UPDATE outbound_call SET due_at = ? WHERE due_at > ?", [time.milliseconds, horizon.milliseconds])
    }

    package func callBacklog() throws -> Backlog {
        try backlog("SELECT count(*) AS count, min(created_at) AS oldest FROM outbound_call")
    }

    // MARK: purge

    package func purge(_ limits: RegistrationPurge, limit: Int) throws -> Int {
        try limits.deletions.reduce(0) { deleted, deletion in
            deleted + (try change(deletion.statement, [deletion.before.milliseconds, limit]))
        }
    }
}
