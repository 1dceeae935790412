package import Domain
import GRDB
package import Storage

/// The audit log of a service, over the table of `SQLiteMigration.audit`. A service's records adopt it and get its methods.
package protocol SQLiteAuditRecords: SQLiteRecords, AuditRecords {}

extension SQLiteAuditRecords {
    package func append(_ entry: AuditRecord) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO audit (
                    tenant, at, actor_kind, actor_id, actor_name, action, target, before_json, after_json, request_id)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            entry.tenant.rawValue, entry.at.milliseconds, entry.actorKind, entry.actorID, entry.actorName, entry.action,
            entry.target,
            entry.beforeJSON, entry.afterJSON, entry.requestID,
        ])
    }

    package func auditEntries(tenant: TenantID, _ filter: AuditFilter, before: Int64?, limit: Int) throws
        -> [AuditRecord]
    {
        var asked = Conditions("tenant = ? AND sequence < ?", [tenant.rawValue, before ?? Int64.max])
        if let actor = filter.actor?.lowercased() { asked.add("? IN (lower(actor_id), lower(actor_name))", [actor]) }
        if let action = filter.action { asked.add("(action = ? OR substr(action, 1, ?) = ?)", Self.beginning(action)) }
        if let target = filter.target { asked.add("target = ?", [target]) }
        if let from = filter.from { asked.add("at >= ?", [from.milliseconds]) }
        if let to = filter.to { asked.add("at < ?", [to.milliseconds]) }
        return try records(
            "SELECT * FROM audit WHERE \(asked.text) ORDER BY sequence DESC LIMIT ?", asked.arguments + [limit]
        ) { row in
            AuditRecord(
                sequence: row["sequence"], tenant: TenantID(row["tenant"] as String),
                at: Timestamp(milliseconds: row["at"]),
                actorKind: row["actor_kind"], actorID: row["actor_id"], actorName: row["actor_name"],
                action: row["action"],
                target: row["target"], beforeJSON: row["before_json"], afterJSON: row["after_json"],
                requestID: row["request_id"])
        }
    }

    /// The whole action, and what an action begins with when this is its first word.
    private static func beginning(_ action: String) -> StatementArguments {
        let word = action + "."
        return [action, word.count, word]
    }
}
