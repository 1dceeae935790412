package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteRegistrationRecords {
    private static let columns = """
        tenant, id, username, display_name, password_hash, is_blocked, roles, created_at, default_method
        """

    private func person(_ row: Row) throws -> StoredPerson {
        StoredPerson(
            tenant: TenantID(row["tenant"]), id: PersonID(row["id"]), username: row["username"],
            displayName: row["display_name"],
            passwordHash: row["password_hash"], isBlocked: row["is_blocked"], roles: try TextList.texts(row["roles"]),
            createdAt: row.time("created_at"), defaultMethod: try row.optionalWord("default_method"))
    }

    package func person(_ id: PersonID, tenant: TenantID) throws -> StoredPerson? {
        try record(
            "SELECT \(Self.columns) FROM person WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue], person)
    }

    package func person(named name: FoldedUsername, tenant: TenantID) throws -> StoredPerson? {
        try record(
            "SELECT \(Self.columns) FROM person WHERE tenant = ? AND folded_username = ?",
            [tenant.rawValue, name.rawValue], person)
    }

    package func insert(_ person: StoredPerson) throws {
        try change(
            """
            INSERT INTO person (tenant, id, username, folded_username, display_name, folded_display_name, password_hash, is_blocked,
                roles, created_at, default_method) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                person.tenant.rawValue, person.id.rawValue, person.username, FoldedUsername(person.username).rawValue,
                person.displayName, person.displayName.lowercased(), person.passwordHash, person.isBlocked,
                TextList.json(person.roles), person.createdAt.milliseconds,
                person.defaultMethod?.rawValue,
            ])
    }

    package func update(_ person: StoredPerson) throws {
        try changeOne(
            """
            UPDATE person SET display_name = ?, folded_display_name = ?, password_hash = ?, is_blocked = ?, roles = ?,
                default_method = ?
            WHERE tenant = ? AND id = ?
            """,
            [
                person.displayName, person.displayName.lowercased(), person.passwordHash, person.isBlocked,
                TextList.json(person.roles), person.defaultMethod?.rawValue, person.tenant.rawValue,
                person.id.rawValue,
            ])
    }

    package func deletePerson(_ id: PersonID, tenant: TenantID) throws {
        let arguments: StatementArguments = [tenant.rawValue, id.rawValue]
        for table in ["membership", "device", "activation", "access_pass", "web_session"] {
            try change("DELETE FROM \(table) WHERE tenant = ? AND person = ?", arguments)
        }
        try changeOne("DELETE FROM person WHERE tenant = ? AND id = ?", arguments)
    }

    package func people(tenant: TenantID, search: String, after: FoldedUsername?, limit: Int) throws -> [StoredPerson] {
        let cursor = after?.rawValue ?? ""
        if search.isEmpty {
            return try records(
                "SELECT \(Self.columns) FROM person WHERE tenant = ? AND folded_username > ? ORDER BY folded_username LIMIT ?",
                [tenant.rawValue, cursor, limit], person)
        }
        let first = search.lowercased()
        let last = first + "\u{10FFFF}"
        return try records(
            """
            SELECT \(Self.columns) FROM person WHERE tenant = ? AND folded_username > ? AND id IN (
                SELECT id FROM person WHERE tenant = ? AND folded_username >= ? AND folded_username < ?
                UNION SELECT id FROM person WHERE tenant = ? AND folded_display_name >= ? AND folded_display_name < ?)
            ORDER BY folded_username LIMIT ?
            """,
            [tenant.rawValue, cursor, tenant.rawValue, first, last, tenant.rawValue, first, last, limit], person)
    }

    package func existing(people ids: [PersonID], tenant: TenantID) throws -> Set<PersonID> {
        Set(
            try records(
                "SELECT id FROM person WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))",
                [tenant.rawValue, TextList.json(ids.map(\.rawValue))]
            ) { PersonID($0["id"]) })
    }

    package func members(of group: GroupID, tenant: TenantID, after: FoldedUsername?, limit: Int) throws
        -> [StoredPerson]
    {
        let columns = Self.columns.split(separator: ", ").map { "person.\($0)" }.joined(separator: ", ")
        return try records(
            """
            SELECT \(columns) FROM membership JOIN person ON person.tenant = membership.tenant AND person.id = membership.person
            WHERE membership.tenant = ? AND membership.group_id = ? AND person.folded_username > ?
            ORDER BY person.folded_username LIMIT ?
            """,
            [tenant.rawValue, group.rawValue, after?.rawValue ?? "", limit], person)
    }
}
