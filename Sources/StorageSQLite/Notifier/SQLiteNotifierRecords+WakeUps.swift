package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteNotifierRecords {
    package func append(_ wakeUp: WakeUpRecord) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO wake_up (tenant, challenge, device, transport, address_sealed, expires_at, due_at, fence, attempts)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, wakeUp.device.rawValue, wakeUp.transport.rawValue,
            Data(wakeUp.sealedAddress), wakeUp.expiresAt.milliseconds, wakeUp.dueAt.milliseconds, wakeUp.fence,
            wakeUp.attempts,
        ])
    }

    package func countWakeUps() throws -> Int {
        try Int.fetchOne(database.cachedStatement(sql: "SELECT count(*) FROM wake_up")) ?? 0
    }

    package func leaseWakeUps(_ transport: PushTransport, at time: Timestamp, until: Timestamp, limit: Int) throws
        -> [WakeUpRecord]
    {
        let statement = try database.cachedStatement(
            sql: """
                UPDATE wake_up SET due_at = ?, fence = fence + 1, attempts = attempts + 1 WHERE sequence IN (
                    SELECT sequence FROM wake_up WHERE transport = ? AND due_at <= ? ORDER BY due_at, sequence LIMIT ?)
                RETURNING *
                """)
        let arguments: StatementArguments = [until.milliseconds, transport.rawValue, time.milliseconds, limit]
        return try Row.fetchAll(statement, arguments: arguments).map { row in
            WakeUpRecord(
                sequence: row["sequence"], tenant: row.id("tenant"), challenge: row.id("challenge"),
                device: row.id("device"), transport: transport, sealedAddress: row.bytes("address_sealed"),
                expiresAt: row.time("expires_at"), dueAt: row.time("due_at"), fence: row["fence"],
                attempts: row["attempts"])
        }.sorted { $0.sequence < $1.sequence }
    }

    package func nextWakeUpDue(_ transport: PushTransport) throws -> Timestamp? {
        let statement = try database.cachedStatement(
            sql: "SELECT due_at FROM wake_up WHERE transport = ? ORDER BY due_at LIMIT 1")
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

    package func owesWakeUps(of challenge: ChallengeID, tenant: TenantID) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: "SELECT 1 FROM wake_up WHERE tenant = ? AND challenge = ? LIMIT 1")
        return try Row.fetchOne(statement, arguments: [tenant.rawValue, challenge.rawValue]) != nil
    }

    package func deleteWakeUps(of challenge: ChallengeID, tenant: TenantID) throws {
        try database.cachedStatement(sql: "DELETE FROM wake_up WHERE tenant = ? AND challenge = ?")
            .execute(arguments: [tenant.rawValue, challenge.rawValue])
    }
}
