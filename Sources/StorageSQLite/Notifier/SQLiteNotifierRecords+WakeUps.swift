package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteNotifierRecords {
    package func append(_ wakeUp: WakeUpRecord) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO wake_up (tenant, challenge, device, transport, service, address_sealed, expires_at, due_at, fence, attempts, stage)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, wakeUp.device.rawValue, wakeUp.transport.rawValue,
            wakeUp.service, Data(wakeUp.sealedAddress), wakeUp.expiresAt.milliseconds, wakeUp.dueAt.milliseconds,
            wakeUp.fence, wakeUp.attempts, wakeUp.stage.rawValue,
        ])
    }

    package func wakeUpCounts() throws -> [WakeUpCount] {
        try records(
            """
            SELECT transport, tenant, service, count(*) AS wake_ups FROM wake_up WHERE stage = 'ring'
            GROUP BY transport, tenant, service
            """, []
        ) { row in
            WakeUpCount(
                tenant: row.id("tenant"), transport: try row.word("transport"), service: row["service"],
                number: row["wake_ups"])
        }
    }

    package func leaseWakeUps(
        _ stage: WakeUpStage, _ transport: PushTransport, at time: Timestamp, until: Timestamp, limit: Int
    ) throws -> [WakeUpRecord] {
        let statement = try database.cachedStatement(
            sql: """
                UPDATE wake_up SET due_at = ?, fence = fence + 1, attempts = attempts + 1 WHERE sequence IN (
                    SELECT sequence FROM wake_up WHERE stage = ? AND transport = ? AND due_at <= ?
                    ORDER BY due_at, sequence LIMIT ?)
                RETURNING *
                """)
        let arguments: StatementArguments = [
            until.milliseconds, stage.rawValue, transport.rawValue, time.milliseconds, limit,
        ]
        return try wakeUps(statement, arguments, stage, transport)
    }

    /// What the statement returns, as it came into the table.
    private func wakeUps(
        _ statement: Statement, _ arguments: StatementArguments, _ stage: WakeUpStage, _ transport: PushTransport
    ) throws -> [WakeUpRecord] {
        try Row.fetchAll(statement, arguments: arguments).map { row in
            WakeUpRecord(
                sequence: row["sequence"], tenant: row.id("tenant"), challenge: row.id("challenge"),
                device: row.id("device"), transport: transport, service: row["service"],
                sealedAddress: row.bytes("address_sealed"), expiresAt: row.time("expires_at"),
                dueAt: row.time("due_at"), fence: row["fence"], heardFence: row["heard_fence"],
                attempts: row["attempts"], stage: stage)
        }.sorted { $0.sequence < $1.sequence }
    }

    package func nextWakeUpDue(_ transport: PushTransport) throws -> Timestamp? {
        try WakeUpStage.sent.compactMap { stage in
            try record(
                "SELECT due_at FROM wake_up WHERE stage = ? AND transport = ? ORDER BY due_at LIMIT 1",
                [stage.rawValue, transport.rawValue]
            ) { $0.time("due_at") }
        }.min()
    }

    package func postpone(_ wakeUp: WakeUpRecord) throws {
        let stage = wakeUp.stage.rawValue
        try database.cachedStatement(
            sql: """
                UPDATE wake_up SET due_at = CASE stage WHEN ? THEN ? ELSE due_at END,
                attempts = CASE stage WHEN ? THEN ? ELSE attempts END, heard_fence = fence WHERE sequence = ? AND fence = ?
                """
        ).execute(arguments: [
            stage, wakeUp.dueAt.milliseconds, stage, wakeUp.attempts, wakeUp.sequence, wakeUp.fence,
        ])
    }

    package func finish(_ wakeUp: WakeUpRecord) throws {
        try database.cachedStatement(sql: "DELETE FROM wake_up WHERE sequence = ? AND fence = ?")
            .execute(arguments: [wakeUp.sequence, wakeUp.fence])
    }

    package func passPlace(of wakeUp: WakeUpRecord, at time: Timestamp) throws -> Bool {
        try finish(wakeUp)
        guard database.changesCount == 1 else { return false }
        try mark(wakeUp.device, of: wakeUp, hasPlace: false)
        let statement = try database.cachedStatement(
            sql: """
                UPDATE wake_up SET stage = 'ring', due_at = ? WHERE sequence = (
                    SELECT sequence FROM wake_up WHERE tenant = ? AND challenge = ? AND stage = 'reserve' AND expires_at > ?
                    ORDER BY sequence LIMIT 1)
                RETURNING device
                """)
        let arguments: StatementArguments = [
            time.milliseconds, wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, time.milliseconds,
        ]
        guard let next = try Row.fetchAll(statement, arguments: arguments).first else { return false }
        try mark(next.id("device"), of: wakeUp, hasPlace: true)
        return true
    }

    private func mark(_ device: DeviceID, of wakeUp: WakeUpRecord, hasPlace: Bool) throws {
        try database.cachedStatement(
            sql: "UPDATE delivery_claim SET has_place = ? WHERE tenant = ? AND challenge = ? AND device = ?"
        ).execute(arguments: [hasPlace, wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, device.rawValue])
    }

    package func keep(_ wakeUp: WakeUpRecord, at time: Timestamp) throws {
        try database.cachedStatement(
            sql: """
                UPDATE wake_up SET due_at = CASE stage WHEN 'ring' THEN expires_at ELSE ? END,
                stage = CASE stage WHEN 'ring' THEN 'rung' ELSE stage END, heard_fence = fence WHERE sequence = ? AND fence = ?
                """
        ).execute(arguments: [time.milliseconds, wakeUp.sequence, wakeUp.fence])
    }

    package func holdsWakeUps(of challenge: ChallengeID, tenant: TenantID) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: "SELECT 1 FROM wake_up WHERE tenant = ? AND challenge = ? LIMIT 1")
        return try Row.fetchOne(statement, arguments: [tenant.rawValue, challenge.rawValue]) != nil
    }

    package func deleteWakeUps(
        _ stage: WakeUpStage, _ transport: PushTransport, dueAfter time: Timestamp, limit: Int
    ) throws -> [WakeUpRecord] {
        let statement = try database.cachedStatement(
            sql: """
                DELETE FROM wake_up WHERE sequence IN (
                    SELECT sequence FROM wake_up WHERE stage = ? AND transport = ? AND due_at > ? LIMIT ?)
                RETURNING *
                """)
        let arguments: StatementArguments = [stage.rawValue, transport.rawValue, time.milliseconds, limit]
        return try wakeUps(statement, arguments, stage, transport)
    }

    package func withdrawWakeUps(
        of challenge: ChallengeID, tenant: TenantID, answeredBy device: DeviceID?, at time: Timestamp
    ) throws {
        let whose: StatementArguments = [tenant.rawValue, challenge.rawValue]
        let ended: StatementArguments = [device?.rawValue ?? "", time.milliseconds]
        try database.cachedStatement(
            sql: """
                DELETE FROM wake_up WHERE tenant = ? AND challenge = ? AND (stage = 'reserve'
                    OR stage = 'rung' AND heard_fence = fence AND (device = ? OR expires_at <= ?)
                    OR stage = 'ring' AND heard_fence = fence AND (device = ? OR attempts = 0) AND expires_at > ?)
                """
        ).execute(arguments: whose + ended + ended)
        try database.cachedStatement(
            sql: """
                UPDATE wake_up SET due_at = CASE stage WHEN 'rung' THEN ? ELSE due_at END, stage = 'withdraw', attempts = 0
                WHERE tenant = ? AND challenge = ? AND stage <> 'withdraw' AND device <> ? AND expires_at > ?
                """
        ).execute(arguments: [time.milliseconds] + whose + ended)
        // Whoever holds it may still say what came of it; nobody else may send it.
        try database.cachedStatement(
            sql: """
                UPDATE wake_up SET stage = 'rung'
                WHERE tenant = ? AND challenge = ? AND stage = 'ring' AND device = ? AND expires_at > ?
                """
        ).execute(arguments: whose + ended)
    }

    package func deleteWakeUps(
        _ stage: WakeUpStage, _ transport: PushTransport, expiredBefore time: Timestamp, limit: Int
    ) throws -> [WakeUpRecord] {
        let statement = try database.cachedStatement(
            sql: """
                DELETE FROM wake_up WHERE sequence IN (
                    SELECT sequence FROM wake_up WHERE stage = ? AND transport = ? AND due_at < ? AND expires_at < ? LIMIT ?)
                RETURNING *
                """)
        let arguments: StatementArguments = [
            stage.rawValue, transport.rawValue, time.milliseconds, time.milliseconds, limit,
        ]
        return try wakeUps(statement, arguments, stage, transport)
    }
}
