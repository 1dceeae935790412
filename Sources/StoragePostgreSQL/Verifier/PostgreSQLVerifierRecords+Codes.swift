import Domain
import Storage

extension PostgreSQLVerifierRecords {
    func advance(_ device: DeviceID, tenant: TenantID, to step: Int64) throws -> Bool {
        // One statement compares and sets: of two transactions with the same step one changes the row.
        try change(
            """
            INSERT INTO code_step (tenant, device, step) VALUES (?, ?, ?)
            ON CONFLICT (tenant, device) DO UPDATE SET step = excluded.step WHERE excluded.step > code_step.step
            """,
            [tenant.rawValue, device.rawValue, step]) == 1
    }

    func acceptance(tenant: TenantID, challenge: ChallengeID) throws -> CodeAcceptance? {
        try row(
            "SELECT * FROM code_acceptance WHERE tenant = ? AND challenge = ?", [tenant.rawValue, challenge.rawValue]
        ).map { row in
            try CodeAcceptance(
                tenant: tenant, challenge: challenge, codeDigest: row["code_digest"], device: row.id("device"),
                deviceName: row["device_name"], keptUntil: row.time("kept_until"))
        }
    }

    func insert(_ acceptance: CodeAcceptance) throws {
        try insert(
            """
            INSERT INTO code_acceptance (tenant, challenge, code_digest, device, device_name, kept_until)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                acceptance.tenant.rawValue, acceptance.challenge.rawValue, acceptance.codeDigest,
                acceptance.device.rawValue, acceptance.deviceName, acceptance.keptUntil.milliseconds,
            ])
    }

    func deleteAcceptances(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        try change(
            """
            DELETE FROM code_acceptance WHERE (tenant, challenge) IN (
                SELECT tenant, challenge FROM code_acceptance WHERE kept_until < ? ORDER BY kept_until LIMIT ?)
            """,
            [time.milliseconds, limit])
    }

    func codeFailures(tenant: TenantID, username: FoldedUsername) throws -> CodeFailures? {
        try row(
            "SELECT * FROM code_failures WHERE tenant = ? AND username = ?", [tenant.rawValue, username.rawValue]
        ).map { row in
            try CodeFailures(
                tenant: tenant, username: username, count: row["failures"], countTowardsLock: row["towards_lock"],
                isLocked: row["locked"], lastAt: row.time("last_at"), nextAllowedAt: row.time("next_allowed_at"))
        }
    }

    func save(_ failures: CodeFailures) throws {
        try add(
            """
            INSERT INTO code_failures (tenant, username, failures, towards_lock, locked, last_at, next_allowed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (tenant, username) DO UPDATE SET
                failures = excluded.failures, towards_lock = excluded.towards_lock, locked = excluded.locked,
                last_at = excluded.last_at, next_allowed_at = excluded.next_allowed_at
            """,
            [
                failures.tenant.rawValue, failures.username.rawValue, failures.count, failures.countTowardsLock,
                failures.isLocked, failures.lastAt.milliseconds, failures.nextAllowedAt.milliseconds,
            ])
    }

    func deleteCodeFailures(tenant: TenantID, username: FoldedUsername) throws -> Bool {
        try change(
            "DELETE FROM code_failures WHERE tenant = ? AND username = ?", [tenant.rawValue, username.rawValue]) == 1
    }

    func deleteCodeFailures(lastBefore time: Timestamp, limit: Int) throws -> Int {
        try change(
            """
            DELETE FROM code_failures WHERE (tenant, username) IN (
                SELECT tenant, username FROM code_failures WHERE NOT locked AND last_at < ? ORDER BY last_at LIMIT ?)
            """,
            [time.milliseconds, limit])
    }
}
