package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteNotifierRecords {
    package func append(_ wakeUp: WakeUpRecord) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO wake_up (tenant, challenge, device, transport, address_sealed, expires_at, due_at, fence, attempts, stage)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, wakeUp.device.rawValue, wakeUp.transport.rawValue,
            Data(wakeUp.sealedAddress), wakeUp.expiresAt.milliseconds, wakeUp.dueAt.milliseconds, wakeUp.fence,
            wakeUp.attempts, wakeUp.stage.rawValue,
        ])
    }

    package func countWakeUps() throws -> Int {
        try Int.fetchOne(database.cachedStatement(sql: "SELECT count(*) FROM wake_up WHERE stage <> 'rung'")) ?? 0
    }

    package func leaseWakeUps(_ transport: PushTransport, at time: Timestamp, until: Timestamp, limit: Int) throws
        -> [WakeUpRecord]
    {
        let statement = try database.cachedStatement(
            sql: """
                UPDATE wake_up SET due_at = ?, fence = fence + 1, attempts = attempts + 1 WHERE sequence IN (
                    SELECT sequence FROM wake_up WHERE transport = ? AND due_at <= ? AND stage <> 'rung'
                    ORDER BY due_at, sequence LIMIT ?)
                RETURNING *
                """)
        let arguments: StatementArguments = [until.milliseconds, transport.rawValue, time.milliseconds, limit]
        return try Row.fetchAll(statement, arguments: arguments).map { row in
            try WakeUpRecord(
                sequence: row["sequence"], tenant: row.id("tenant"), challenge: row.id("challenge"),
                device: row.id("device"), transport: transport, sealedAddress: row.bytes("address_sealed"),
                expiresAt: row.time("expires_at"), dueAt: row.time("due_at"), fence: row["fence"],
                attempts: row["attempts"], stage: row.word("stage"))
        }.sorted { $0.sequence < $1.sequence }
    }

    package func nextWakeUpDue(_ transport: PushTransport) throws -> Timestamp? {
        let statement = try database.cachedStatement(
            sql: "SELECT due_at FROM wake_up WHERE transport = ? AND stage <> 'rung' ORDER BY due_at LIMIT 1")
        return try Row.fetchOne(statement, arguments: [transport.rawValue])?.time("due_at")
    }

    package func postpone(_ wakeUp: WakeUpRecord) throws {
        try database.cachedStatement(
            sql: "UPDATE wake_up SET due_at = ?, attempts = ? WHERE sequence = ? AND fence = ?"
        ).execute(arguments: [wakeUp.dueAt.milliseconds, wakeUp.attempts, wakeUp.sequence, wakeUp.fence])
    }

    package func finish(_ wakeUp: WakeUpRecord) throws {
        try database.cachedStatement(sql: "DELETE FROM wake_up WHERE sequence = ? AND fence = ?")
            .execute(arguments: [wakeUp.sequence, wakeUp.fence])
    }

    package func keep(_ wakeUp: WakeUpRecord) throws {
        try database.cachedStatement(
            sql: "UPDATE wake_up SET stage = 'rung', due_at = expires_at WHERE sequence = ? AND fence = ?"
        ).execute(arguments: [wakeUp.sequence, wakeUp.fence])
    }

    package func holdsWakeUps(of challenge: ChallengeID, tenant: TenantID) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: "SELECT 1 FROM wake_up WHERE tenant = ? AND challenge = ? LIMIT 1")
        return try Row.fetchOne(statement, arguments: [tenant.rawValue, challenge.rawValue]) != nil
    }

    package func deleteWakeUps(dueAfter time: Timestamp) throws {
        try database.cachedStatement(sql: "DELETE FROM wake_up WHERE due_at > ?").execute(arguments: [
            time.milliseconds
        ])
    }

    package func withdrawWakeUps(
        of challenge: ChallengeID, tenant: TenantID, answeredBy device: DeviceID?, at time: Timestamp
    ) throws {
        try database.cachedStatement(
            sql: """
                DELETE FROM wake_up WHERE tenant = ? AND challenge = ?
                AND (stage = 'ring' OR stage = 'rung' AND (device = ? OR expires_at <= ?))
                """
        ).execute(arguments: [
            tenant.rawValue, challenge.rawValue, device?.rawValue ?? "", time.milliseconds,
        ])
        try database.cachedStatement(
            sql: """
                UPDATE wake_up SET stage = 'withdraw', due_at = ?, attempts = 0
                WHERE tenant = ? AND challenge = ? AND stage = 'rung'
                """
        ).execute(arguments: [time.milliseconds, tenant.rawValue, challenge.rawValue])
    }

    package func deleteWakeUps(rungAndExpiredBefore time: Timestamp, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM wake_up WHERE sequence IN (
                    SELECT sequence FROM wake_up WHERE stage = 'rung' AND expires_at < ? LIMIT ?)
                """
        ).execute(arguments: [time.milliseconds, limit])
        return database.changesCount
    }
}
