import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteNotifierRecords {
    package func append(_ wakeUp: WakeUpRecord) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO wake_up (tenant, challenge, device, transport, address_sealed, expires_at) VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, wakeUp.device.rawValue, wakeUp.transport.rawValue,
            Data(wakeUp.sealedAddress), wakeUp.expiresAt.milliseconds,
        ])
    }

    package func countWakeUps() throws -> Int {
        try Int.fetchOne(database.cachedStatement(sql: "SELECT count(*) FROM wake_up")) ?? 0
    }

    package func wakeUps(after sequence: Int64, limit: Int) throws -> [WakeUpRecord] {
        let statement = try database.cachedStatement(
            sql: "SELECT * FROM wake_up WHERE sequence > ? ORDER BY sequence LIMIT ?")
        return try Row.fetchAll(statement, arguments: [sequence, limit]).map { row in
            WakeUpRecord(
                sequence: row["sequence"], tenant: row.id("tenant"), challenge: row.id("challenge"),
                device: row.id("device"), transport: try row.word("transport"),
                sealedAddress: row.bytes("address_sealed"), expiresAt: row.time("expires_at"))
        }
    }

    package func deleteWakeUp(_ sequence: Int64) throws {
        try database.cachedStatement(sql: "DELETE FROM wake_up WHERE sequence = ?").execute(arguments: [sequence])
    }
}
