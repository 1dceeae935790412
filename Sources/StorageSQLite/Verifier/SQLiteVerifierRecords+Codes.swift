package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteVerifierRecords {
    package func advance(_ device: DeviceID, tenant: TenantID, to step: Int64) throws -> Bool {
        // One statement compares and sets: of two transactions with the same step one changes the row.
        try database.cachedStatement(
            sql: """
                INSERT INTO code_step VALUES (?, ?, ?)
                ON CONFLICT (tenant, device) DO UPDATE SET step = excluded.step WHERE excluded.step > code_step.step
                """
        ).execute(arguments: [tenant.rawValue, device.rawValue, step])
        return database.changesCount == 1
    }

    package func acceptance(tenant: TenantID, challenge: ChallengeID) throws -> CodeAcceptance? {
        try record(
            "SELECT code_digest, device, device_name, kept_until FROM code_acceptance WHERE tenant = ? AND challenge = ?",
            [tenant.rawValue, challenge.rawValue]
        ) { row in
            CodeAcceptance(
                tenant: tenant, challenge: challenge, codeDigest: Array(row[0] as Data),
                device: DeviceID(row[1] as String), deviceName: row[2],
                keptUntil: Timestamp(milliseconds: row[3]))
        }
    }

    package func insert(_ acceptance: CodeAcceptance) throws {
        try database.cachedStatement(
            sql: "INSERT INTO code_acceptance VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, challenge) DO NOTHING"
        ).execute(arguments: [
            acceptance.tenant.rawValue, acceptance.challenge.rawValue, Data(acceptance.codeDigest),
            acceptance.device.rawValue, acceptance.deviceName,
            acceptance.keptUntil.milliseconds,
        ])
        guard database.changesCount == 1 else { throw StorageError.alreadyExists }
    }

    package func deleteAcceptances(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM code_acceptance WHERE (tenant, challenge) IN (
                    SELECT tenant, challenge FROM code_acceptance WHERE kept_until < ? ORDER BY kept_until LIMIT ?)
                """
        ).execute(arguments: [time.milliseconds, limit])
        return database.changesCount
    }

    package func codeFailures(tenant: TenantID, username: FoldedUsername) throws -> CodeFailures? {
        try record(
            "SELECT failures, towards_lock, locked, last_at, next_allowed_at FROM code_failures WHERE tenant = ? AND username = ?",
            [tenant.rawValue, username.rawValue]
        ) { row in
            CodeFailures(
                tenant: tenant, username: username, count: row[0], countTowardsLock: row[1], isLocked: row[2],
                lastAt: Timestamp(milliseconds: row[3]), nextAllowedAt: Timestamp(milliseconds: row[4]))
        }
    }

    package func save(_ failures: CodeFailures) throws {
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO code_failures VALUES (?, ?, ?, ?, ?, ?, ?)").execute(
            arguments: [
                failures.tenant.rawValue, failures.username.rawValue, failures.count, failures.countTowardsLock,
                failures.isLocked,
                failures.lastAt.milliseconds, failures.nextAllowedAt.milliseconds,
            ])
    }

    package func deleteCodeFailures(tenant: TenantID, username: FoldedUsername) throws -> Bool {
        try database.cachedStatement(sql: "DELETE FROM code_failures WHERE tenant = ? AND username = ?").execute(
            arguments: [tenant.rawValue, username.rawValue])
        return database.changesCount == 1
    }

    package func deleteCodeFailures(lastBefore time: Timestamp, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM code_failures WHERE (tenant, username) IN (
                    SELECT tenant, username FROM code_failures WHERE locked = 0 AND last_at < ? ORDER BY last_at LIMIT ?)
                """
        ).execute(arguments: [time.milliseconds, limit])
        return database.changesCount
    }
}
