import Domain
import Storage

extension PostgreSQLRegistrationRecords {
    private static let columns = "sequence, kind, tenant, request, origin, body, created_at, due_at, fence, attempts"

    private func call(_ row: Row) throws -> OutboundCall {
        try OutboundCall(
            sequence: row["sequence"], kind: row.word("kind"), tenant: row.id("tenant"),
            request: row.request("request"),
            origin: row.request("origin"),
            body: row["body"], createdAt: row.time("created_at"), dueAt: row.time("due_at"), fence: row["fence"],
            attempts: row["attempts"])
    }

    func append(_ call: OutboundCall) throws -> Int64 {
        let stored = try row(
            """
            INSERT INTO outbound_call (kind, tenant, request, origin, body, created_at, due_at, fence, attempts)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING sequence
            """,
            [
                call.kind.rawValue, call.tenant.rawValue, call.request.description, call.origin.description,
                call.body,
                call.createdAt.milliseconds, call.dueAt.milliseconds, call.fence, call.attempts,
            ])
        guard let stored else { throw StorageError.corrupt }
        return try stored["sequence"]
    }

    func lease(_ sequence: Int64, at time: Timestamp, until: Timestamp) throws -> OutboundCall? {
        try row(
            """
            UPDATE outbound_call SET due_at = ?, fence = fence + 1, attempts = attempts + 1
            WHERE sequence = ? AND due_at <= ? RETURNING \(Self.columns)
            """,
            [until.milliseconds, sequence, time.milliseconds]
        ).map(call)
    }

    func leaseDue(at time: Timestamp, until: Timestamp, limit: Int) throws -> [OutboundCall] {
        try rows(
            "SELECT sequence FROM outbound_call WHERE due_at <= ? ORDER BY due_at, sequence LIMIT ?",
            [time.milliseconds, limit]
        ).compactMap { try lease(try $0["sequence"], at: time, until: until) }
    }

    func finish(_ call: OutboundCall) throws -> Bool {
        try change("DELETE FROM outbound_call WHERE sequence = ? AND fence = ?", [call.sequence, call.fence]) == 1
    }

    func postpone(_ call: OutboundCall, to time: Timestamp) throws {
        try add(
            "UPDATE outbound_call SET due_at = ? WHERE sequence = ? AND fence = ?",
            [time.milliseconds, call.sequence, call.fence])
    }

    func nextCallDue() throws -> Timestamp? {
        try row("SELECT due_at FROM outbound_call ORDER BY due_at LIMIT 1", [])?.time("due_at")
    }

    func recallCalls(dueAfter horizon: Timestamp, to time: Timestamp) throws -> Int {
        try change(
            "UPDATE outbound_call SET due_at = ? WHERE due_at > ?", [time.milliseconds, horizon.milliseconds])
    }

    func callBacklog() throws -> Backlog {
        guard let row = try row("SELECT count(*) AS count, min(created_at) AS oldest FROM outbound_call", []) else {
            throw StorageError.corrupt
        }
        return try Backlog(count: row["count"], oldest: row.optionalTime("oldest"))
    }

    // MARK: purge

    func purge(_ limits: RegistrationPurge, limit: Int) throws -> Int {
        try limits.deletions.reduce(0) { deleted, deletion in
            deleted + (try change(deletion.statement, [deletion.before.milliseconds, limit]))
        }
    }
}
