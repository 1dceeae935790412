import Domain
import Storage

extension PostgreSQLNotifierRecords {
    func append(_ wakeUp: WakeUpRecord) throws {
        try add(
            "INSERT INTO wake_up (tenant, challenge, device, transport, address_sealed, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
            [
                wakeUp.tenant.rawValue, wakeUp.challenge.rawValue, wakeUp.device.rawValue, wakeUp.transport.rawValue,
                wakeUp.sealedAddress, wakeUp.expiresAt.milliseconds,
            ])
    }

    func countWakeUps() throws -> Int {
        try row("SELECT count(*) AS wake_ups FROM wake_up", [])?["wake_ups"] ?? 0
    }

    func wakeUps(after sequence: Int64, limit: Int) throws -> [WakeUpRecord] {
        try rows("SELECT * FROM wake_up WHERE sequence > ? ORDER BY sequence LIMIT ?", [sequence, limit]).map { row in
            try WakeUpRecord(
                sequence: row["sequence"], tenant: row.id("tenant"), challenge: row.id("challenge"),
                device: row.id("device"), transport: row.word("transport"), sealedAddress: row["address_sealed"],
                expiresAt: row.time("expires_at"))
        }
    }

    func deleteWakeUp(_ sequence: Int64) throws { try add("DELETE FROM wake_up WHERE sequence = ?", [sequence]) }
}
