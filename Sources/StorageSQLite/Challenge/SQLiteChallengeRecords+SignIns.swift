package import Domain
import GRDB
package import Storage

extension SQLiteChallengeRecords {
    package func insert(_ line: SignInRecord) throws {
        try execute(
            """
            INSERT INTO sign_in (
                id, tenant, at, username, folded_username, person, purpose, application, ip_address, user_agent, client,
                request_id, is_decoy, is_silenced, status, reason, method, device, device_name, settled_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                line.id.rawValue, line.tenant.rawValue, line.at.milliseconds, line.username,
                FoldedUsername(line.username).rawValue, line.person?.rawValue, line.purpose.rawValue, line.application,
                line.ipAddress, line.userAgent, line.client?.rawValue, line.requestID, line.isDecoy, line.isSilenced,
                line.status.rawValue, line.reason?.rawValue, line.method?.rawValue, line.device?.rawValue,
                line.deviceName,
                line.settledAt?.milliseconds,
            ])
    }

    package func signIn(_ id: ChallengeID) throws -> SignInRecord? {
        try record("SELECT * FROM sign_in WHERE id = ?", [id.rawValue], Self.line)
    }

    package func update(signIn id: ChallengeID, _ change: SignInChange) throws {
        try execute(
            SignInChange.sql,
            [
                change.status?.rawValue, change.setsReason, change.reason?.rawValue, change.method?.rawValue,
                change.device?.rawValue, change.deviceName, change.settledAt?.milliseconds, change.isOfPendingOnly,
                id.rawValue,
            ])
    }

    package func signIns(tenant: TenantID, _ filter: SignInFilter, limit: Int) throws -> [SignInRecord] {
        var asked = Conditions("tenant = ?", [tenant.rawValue])
        if let username = filter.username { asked.add("folded_username = ?", [username.rawValue]) }
        if let status = filter.status { asked.add("status = ?", [status.rawValue]) }
        if let reason = filter.reason { asked.add("reason = ?", [reason.rawValue]) }
        if let from = filter.from { asked.add("at >= ?", [from.milliseconds]) }
        if let to = filter.to { asked.add("at < ?", [to.milliseconds]) }
        if let before = filter.before {
            asked.add("(at, id) < (?, ?)", [before.at.milliseconds, before.id.rawValue])
        }
        return try records(
            "SELECT * FROM sign_in WHERE \(asked.text) ORDER BY at DESC, id DESC LIMIT ?", asked.arguments + [limit],
            Self.line)
    }

    package func deleteSignIns(before time: Timestamp, limit: Int) throws -> Int {
        try execute(
            "DELETE FROM sign_in WHERE rowid IN (SELECT rowid FROM sign_in WHERE at < ? ORDER BY at LIMIT ?)",
            [time.milliseconds, limit])
        return database.changesCount
    }

    private static func line(_ row: Row) throws -> SignInRecord {
        var line = SignInRecord(
            id: row.id("id"), tenant: row.id("tenant"), at: row.time("at"), username: row["username"],
            person: row.optionalID("person"), purpose: try row.word("purpose"))
        line.status = try row.word("status")
        line.application = row["application"]
        line.ipAddress = row["ip_address"]
        line.userAgent = row["user_agent"]
        line.client = row.optionalID("client")
        line.requestID = row["request_id"]
        line.isDecoy = row["is_decoy"]
        line.isSilenced = row["is_silenced"]
        line.reason = try row.optionalWord("reason")
        line.method = try row.optionalWord("method")
        line.device = row.optionalID("device")
        line.deviceName = row["device_name"]
        line.settledAt = row.optionalTime("settled_at")
        return line
    }
}
