import Domain
import Storage

extension PostgreSQLNotifierRecords {
    /// Of one lease alone.
    private static let ending = "DELETE FROM wake_up WHERE sequence = ? AND fence = ?"

    func append(_ wakeUp: WakeUpRecord) throws {
        try add(
            """
            INSERT INTO wake_up (tenant, challenge, device, transport, service, address_sealed, expires_at, due_at, fence, attempts, stage)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, wakeUp.device.rawValue, wakeUp.transport.rawValue,
                wakeUp.service, wakeUp.sealedAddress, wakeUp.expiresAt.milliseconds, wakeUp.dueAt.milliseconds,
                wakeUp.fence, wakeUp.attempts, wakeUp.stage.rawValue,
            ])
    }

    func wakeUpCounts() throws -> [WakeUpCount] {
        try rows(
            """
            SELECT transport, tenant, service, count(*) AS wake_ups FROM wake_up WHERE stage = 'ring'
            GROUP BY transport, tenant, service
            """, []
        ).map { row in
            try WakeUpCount(
                tenant: row.id("tenant"), transport: row.word("transport"), service: row["service"],
                number: row["wake_ups"])
        }
    }

    func leaseWakeUps(
        _ stage: WakeUpStage, _ transport: PushTransport, at time: Timestamp, until: Timestamp, limit: Int
    ) throws -> [WakeUpRecord] {
        try wakeUps(
            """
            UPDATE wake_up SET due_at = ?, fence = fence + 1, attempts = attempts + 1 WHERE sequence IN (
                SELECT sequence FROM wake_up WHERE stage = ? AND transport = ? AND due_at <= ?
                ORDER BY due_at, sequence LIMIT ?
                FOR UPDATE SKIP LOCKED)
            RETURNING *
            """,
            [until.milliseconds, stage.rawValue, transport.rawValue, time.milliseconds, limit], stage, transport)
    }

    /// What the statement returns, as it came into the table.
    private func wakeUps(
        _ sql: String, _ values: Values, _ stage: WakeUpStage, _ transport: PushTransport
    ) throws -> [WakeUpRecord] {
        try rows(sql, values).map { row in
            try WakeUpRecord(
                sequence: row["sequence"], tenant: row.id("tenant"), challenge: row.id("challenge"),
                device: row.id("device"), transport: transport, service: row["service"],
                sealedAddress: row["address_sealed"], expiresAt: row.time("expires_at"), dueAt: row.time("due_at"),
                fence: row["fence"], heardFence: row["heard_fence"], attempts: row["attempts"], stage: stage)
        }.sorted { $0.sequence < $1.sequence }
    }

    func nextWakeUpDue(_ transport: PushTransport) throws -> Timestamp? {
        try WakeUpStage.sent.compactMap { stage in
            try row(
                "SELECT due_at FROM wake_up WHERE stage = ? AND transport = ? ORDER BY due_at LIMIT 1",
                [stage.rawValue, transport.rawValue])?.time("due_at")
        }.min()
    }

    func postpone(_ wakeUp: WakeUpRecord) throws {
        let stage = wakeUp.stage.rawValue
        try add(
            """
            UPDATE wake_up SET due_at = CASE stage WHEN ? THEN ? ELSE due_at END,
            attempts = CASE stage WHEN ? THEN ? ELSE attempts END, heard_fence = fence WHERE sequence = ? AND fence = ?
            """,
            [stage, wakeUp.dueAt.milliseconds, stage, wakeUp.attempts, wakeUp.sequence, wakeUp.fence])
    }

    func finish(_ wakeUp: WakeUpRecord) throws {
        try add(Self.ending, [wakeUp.sequence, wakeUp.fence])
    }

    func passPlace(of wakeUp: WakeUpRecord, at time: Timestamp) throws -> Bool {
        guard try change(Self.ending, [wakeUp.sequence, wakeUp.fence]) == 1 else { return false }
        try mark(wakeUp.device, of: wakeUp, hasPlace: false)
        let next = try row(
            """
            UPDATE wake_up SET stage = 'ring', due_at = ? WHERE sequence = (
                SELECT sequence FROM wake_up WHERE tenant = ? AND challenge = ? AND stage = 'reserve' AND expires_at > ?
                ORDER BY sequence LIMIT 1)
            RETURNING device
            """,
            [time.milliseconds, wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, time.milliseconds])
        guard let next else { return false }
        try mark(next.id("device"), of: wakeUp, hasPlace: true)
        return true
    }

    private func mark(_ device: DeviceID, of wakeUp: WakeUpRecord, hasPlace: Bool) throws {
        try add(
            "UPDATE delivery_claim SET has_place = ? WHERE tenant = ? AND challenge = ? AND device = ?",
            [hasPlace, wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, device.rawValue])
    }

    func keep(_ wakeUp: WakeUpRecord, at time: Timestamp) throws {
        try add(
            """
            UPDATE wake_up SET due_at = CASE stage WHEN 'ring' THEN expires_at ELSE ? END,
            stage = CASE stage WHEN 'ring' THEN 'rung' ELSE stage END, heard_fence = fence WHERE sequence = ? AND fence = ?
            """,
            [time.milliseconds, wakeUp.sequence, wakeUp.fence])
    }

    func holdsWakeUps(of challenge: ChallengeID, tenant: TenantID) throws -> Bool {
        try row(
            "SELECT 1 AS owed FROM wake_up WHERE tenant = ? AND challenge = ? LIMIT 1",
            [tenant.rawValue, challenge.rawValue]) != nil
    }

    func deleteWakeUps(
        _ stage: WakeUpStage, _ transport: PushTransport, dueAfter time: Timestamp, limit: Int
    ) throws -> [WakeUpRecord] {
        try wakeUps(
            """
            DELETE FROM wake_up WHERE sequence IN (
                SELECT sequence FROM wake_up WHERE stage = ? AND transport = ? AND due_at > ? LIMIT ?)
            RETURNING *
            """,
            [stage.rawValue, transport.rawValue, time.milliseconds, limit], stage, transport)
    }

    func withdrawWakeUps(
        of challenge: ChallengeID, tenant: TenantID, answeredBy device: DeviceID?, at time: Timestamp
    ) throws {
        let whose: Values = [tenant.rawValue, challenge.rawValue]
        let ended: Values = [device?.rawValue ?? "", time.milliseconds]
        try add(
            """
            DELETE FROM wake_up WHERE tenant = ? AND challenge = ? AND (stage = 'reserve'
                OR stage = 'rung' AND heard_fence = fence AND (device = ? OR expires_at <= ?)
                OR stage = 'ring' AND heard_fence = fence AND (device = ? OR attempts = 0) AND expires_at > ?)
            """,
            whose + ended + ended)
        try add(
            """
            UPDATE wake_up SET due_at = CASE stage WHEN 'rung' THEN ? ELSE due_at END, stage = 'withdraw', attempts = 0
            WHERE tenant = ? AND challenge = ? AND stage <> 'withdraw' AND device <> ? AND expires_at > ?
            """,
            [time.milliseconds] + whose + ended)
        // Whoever holds it may still say what came of it; nobody else may send it.
        try add(
            """
            UPDATE wake_up SET stage = 'rung'
            WHERE tenant = ? AND challenge = ? AND stage = 'ring' AND device = ? AND expires_at > ?
            """,
            whose + ended)
    }

    func deleteWakeUps(
        _ stage: WakeUpStage, _ transport: PushTransport, expiredBefore time: Timestamp, limit: Int
    ) throws -> [WakeUpRecord] {
        try wakeUps(
            """
            DELETE FROM wake_up WHERE sequence IN (
                SELECT sequence FROM wake_up WHERE stage = ? AND transport = ? AND due_at < ? AND expires_at < ? LIMIT ?)
            RETURNING *
            """,
            [stage.rawValue, transport.rawValue, time.milliseconds, time.milliseconds, limit], stage, transport)
    }
}
