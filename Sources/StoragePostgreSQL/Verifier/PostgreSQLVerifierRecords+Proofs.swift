import Domain
import Storage

extension PostgreSQLVerifierRecords {
    func take(_ identifier: ProofIdentifier) throws -> RequestID? {
        let taken = try change(
            """
            INSERT INTO proof_identifier (digest, used_by, kept_until) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING
            """,
            [identifier.digest, identifier.usedBy.description, identifier.keptUntil.milliseconds])
        if taken == 1 { return nil }
        guard let row = try row("SELECT used_by FROM proof_identifier WHERE digest = ?", [identifier.digest]) else {
            throw StorageError.corrupt
        }
        return try row.request("used_by")
    }

    func deleteProofIdentifiers(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        try change(
            """
            DELETE FROM proof_identifier WHERE digest IN (
                SELECT digest FROM proof_identifier WHERE kept_until < ? ORDER BY kept_until LIMIT ?)
            """,
            [time.milliseconds, limit])
    }

    func numberFailures(tenant: TenantID, device: DeviceID) throws -> NumberFailures? {
        try row("SELECT * FROM number_failures WHERE tenant = ? AND device = ?", [tenant.rawValue, device.rawValue])
            .map { row in
                try NumberFailures(
                    tenant: tenant, device: device, count: row["failures"], lastAnswer: row["last_answer"],
                    lastAt: row.time("last_at"))
            }
    }

    func save(_ failures: NumberFailures) throws {
        try add(
            """
            INSERT INTO number_failures (tenant, device, failures, last_answer, last_at) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (tenant, device) DO UPDATE SET
                failures = excluded.failures, last_answer = excluded.last_answer, last_at = excluded.last_at
            """,
            [
                failures.tenant.rawValue, failures.device.rawValue, failures.count, failures.lastAnswer,
                failures.lastAt.milliseconds,
            ])
    }
}
