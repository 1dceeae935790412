import Domain
import Storage

extension PostgreSQLChallengeRecords {
    func insert(_ line: SignInRecord) throws {
        try add(
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

    func signIn(_ id: ChallengeID) throws -> SignInRecord? {
        try rows("SELECT * FROM sign_in WHERE id = ?", [id.rawValue]).first.map(Self.line)
    }

    func update(signIn id: ChallengeID, _ change: SignInChange) throws {
        try add(
            SignInChange.sql,
            [
                change.status?.rawValue, change.setsReason, change.reason?.rawValue, change.method?.rawValue,
                change.device?.rawValue, change.deviceName, change.settledAt?.milliseconds, change.isOfPendingOnly,
                id.rawValue,
            ])
    }

    func signIns(tenant: TenantID, _ filter: SignInFilter, limit: Int) throws -> [SignInRecord] {
        var asked = Conditions("tenant = ?", [tenant.rawValue])
        if let username = filter.username { asked.add("folded_username = ?", [username.rawValue]) }
        if let status = filter.status { asked.add("status = ?", [status.rawValue]) }
        if let reason = filter.reason { asked.add("reason = ?", [reason.rawValue]) }
        if let from = filter.from { asked.add("at >= ?", [from.milliseconds]) }
        if let to = filter.to { asked.add("at < ?", [to.milliseconds]) }
        if let before = filter.before {
            asked.add("(at, id) < (?, ?)", [before.at.milliseconds, before.id.rawValue])
        }
        return try rows(
            "SELECT * FROM sign_in WHERE \(asked.text) ORDER BY at DESC, id DESC LIMIT ?", asked.values + [limit]
        ).map(Self.line)
    }

    func deleteSignIns(before time: Timestamp, limit: Int) throws -> Int {
        try change(
            "DELETE FROM sign_in WHERE id IN (SELECT id FROM sign_in WHERE at < ? ORDER BY at LIMIT ?)",
            [time.milliseconds, limit])
    }

    private static func line(_ row: Row) throws -> SignInRecord {
        var line = try SignInRecord(
            id: row.id("id"), tenant: row.id("tenant"), at: row.time("at"), username: row["username"],
            person: row.optionalID("person"), purpose: row.word("purpose"))
        line.status = try row.word("status")
        line.application = try row["application"]
        line.ipAddress = try row["ip_address"]
        line.userAgent = try row["user_agent"]
        line.client = try row.optionalID("client")
        line.requestID = try row["request_id"]
        line.isDecoy = try row["is_decoy"]
        line.isSilenced = try row["is_silenced"]
        line.reason = try row.optionalWord("reason")
        line.method = try row.optionalWord("method")
        line.device = try row.optionalID("device")
        line.deviceName = try row["device_name"]
        line.settledAt = try row.optionalTime("settled_at")
        return line
    }
}
