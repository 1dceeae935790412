import Domain
import Storage

/// The audit log of a service, over the table of `PostgreSQLMigration.audit`. A service's records adopt it and get its methods.
protocol PostgreSQLAuditRecords: PostgreSQLRecords, AuditRecords {}

extension PostgreSQLAuditRecords {
    func append(_ entry: AuditRecord) throws {
        try add(
            """
            INSERT INTO audit (
                tenant, at, actor_kind, actor_id, actor_name, action, target, before_json, after_json, request_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                entry.tenant.rawValue, entry.at.milliseconds, entry.actorKind, entry.actorID, entry.actorName,
                entry.action, entry.target, entry.beforeJSON, entry.afterJSON, entry.requestID,
            ])
    }

    func auditEntries(tenant: TenantID, _ filter: AuditFilter, before: Int64?, limit: Int) throws
        -> [AuditRecord]
    {
        var asked = Conditions("tenant = ? AND sequence < ?", [tenant.rawValue, before ?? Int64.max])
        if let actor = filter.actor?.lowercased() { asked.add("? IN (lower(actor_id), lower(actor_name))", [actor]) }
        if let action = filter.action { asked.add("(action = ? OR strpos(action, ?) = 1)", [action, action + "."]) }
        if let target = filter.target { asked.add("target = ?", [target]) }
        if let from = filter.from { asked.add("at >= ?", [from.milliseconds]) }
        if let to = filter.to { asked.add("at < ?", [to.milliseconds]) }
        return try rows(
            "SELECT * FROM audit WHERE \(asked.text) ORDER BY sequence DESC LIMIT ?", asked.values + [limit]
        ).map { row in
            AuditRecord(
                sequence: try row["sequence"], tenant: try row.id("tenant"), at: try row.time("at"),
                actorKind: try row["actor_kind"], actorID: try row["actor_id"], actorName: try row["actor_name"],
                action: try row["action"], target: try row["target"], beforeJSON: try row["before_json"],
                afterJSON: try row["after_json"], requestID: try row["request_id"])
        }
    }
}
