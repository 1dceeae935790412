import Domain
import Storage

extension PostgreSQLNotifierRecords {
    func append(_ wakeUp: WakeUpRecord) throws {
        try add(
            """
            INSERT INTO wake_up (tenant, challenge, device, transport, address_sealed, expires_at, due_at, fence, attempts)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, wakeUp.device.rawValue, wakeUp.transport.rawValue,
                wakeUp.sealedAddress, wakeUp.expiresAt.milliseconds, wakeUp.dueAt.milliseconds, wakeUp.fence,
                wakeUp.attempts,
            ])
    }

    func countWakeUps() throws -> Int {
        try row("SELECT count(*) AS wake_ups FROM wake_up", [])?["wake_ups"] ?? 0
    }

    func leaseWakeUps(_ transport: PushTransport, at time: Timestamp, until: Timestamp, limit: Int) throws
        -> [WakeUpRecord]
    {
        try rows(
            """
            UPDATE wake_up SET due_at = ?, fence = fence + 1, attempts = attempts + 1 WHERE sequence IN (
                SELECT sequence FROM wake_up WHERE transport = ? AND due_at <= ? ORDER BY due_at, sequence LIMIT ?
                FOR UPDATE SKIP LOCKED)
            RETURNING *
            """,
            [until.milliseconds, transport.rawValue, time.milliseconds, limit]
        ).map { row in
            try WakeUpRecord(
                sequence: row["sequence"], tenant: row.id("tenant"), challenge: row.id("challenge"),
                device: row.id("device"), transport: transport, sealedAddress: row["address_sealed"],
                expiresAt: row.time("expires_at"), dueAt: row.time("due_at"), fence: row["fence"],
                attempts: row["attempts"])
        }.sorted { $0.sequence < $1.sequence }
    }

    func nextWakeUpDue(_ transport: PushTransport) throws -> Timestamp? {
        try row("SELECT due_at FROM wake_up WHERE transport = ? ORDER BY due_at LIMIT 1", [transport.rawValue])?.time(
            "due_at")
    }

    func postpone(_ wakeUp: WakeUpRecord) throws {
        try add(
            "UPDATE wake_up SET due_at = ?, attempts = ? WHERE sequence = ? AND fence = ?",
            [wakeUp.dueAt.milliseconds, wakeUp.attempts, wakeUp.sequence, wakeUp.fence])
    }

    func finish(_ wakeUp: WakeUpRecord) throws {
        try add("DELETE FROM wake_up WHERE sequence = ? AND fence = ?", [wakeUp.sequence, wakeUp.fence])
    }

    func owesWakeUps(of challenge: ChallengeID, tenant: TenantID) throws -> Bool {
        try row(
            "SELECT 1 AS owed FROM wake_up WHERE tenant = ? AND challenge = ? LIMIT 1",
            [tenant.rawValue, challenge.rawValue]) != nil
    }

    func deleteWakeUps(of challenge: ChallengeID, tenant: TenantID) throws {
        try add("DELETE FROM wake_up WHERE tenant = ? AND challenge = ?", [tenant.rawValue, challenge.rawValue])
    }
}
