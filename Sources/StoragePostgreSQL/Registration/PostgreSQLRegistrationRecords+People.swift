import Domain
import Storage

extension PostgreSQLRegistrationRecords {
    private static let columns =
        "tenant, id, username, display_name, password_hash, is_blocked, roles, default_method, created_at"

    private func person(_ row: Row) throws -> StoredPerson {
        try StoredPerson(
            tenant: row.id("tenant"), id: row.id("id"), username: row["username"],
            displayName: row["display_name"],
            passwordHash: row.optional("password_hash"), isBlocked: row["is_blocked"], roles: row.texts("roles"),
            createdAt: row.time("created_at"), defaultMethod: row.optionalWord("default_method"))
    }

    func person(_ id: PersonID, tenant: TenantID) throws -> StoredPerson? {
        try row("SELECT \(Self.columns) FROM person WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue]).map(
            person)
    }

    func person(named name: FoldedUsername, tenant: TenantID) throws -> StoredPerson? {
        try row(
            "SELECT \(Self.columns) FROM person WHERE tenant = ? AND folded_username = ?",
            [tenant.rawValue, name.rawValue]
        )
        .map(person)
    }

    func insert(_ person: StoredPerson) throws {
        try insert(
            """
            INSERT INTO person (tenant, id, username, folded_username, display_name, folded_display_name, password_hash, is_blocked,
                roles, default_method, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                person.tenant.rawValue, person.id.rawValue, person.username, FoldedUsername(person.username).rawValue,
                person.displayName, person.displayName.lowercased(), person.passwordHash, person.isBlocked,
                TextList.json(person.roles), person.defaultMethod?.rawValue, person.createdAt.milliseconds,
            ])
    }

    func update(_ person: StoredPerson) throws {
        try changeOne(
            """
            UPDATE person SET display_name = ?, folded_display_name = ?, password_hash = ?, is_blocked = ?, roles = ?,
                default_method = ?
            WHERE tenant = ? AND id = ?
            """,
            [
                person.displayName, person.displayName.lowercased(), person.passwordHash, person.isBlocked,
                TextList.json(person.roles), person.defaultMethod?.rawValue, person.tenant.rawValue, person.id.rawValue,
            ])
    }

    func deletePerson(_ id: PersonID, tenant: TenantID) throws {
        let values: Values = [tenant.rawValue, id.rawValue]
        for table in ["membership", "device", "activation", "access_pass", "web_session"] {
            try add("DELETE FROM \(table) WHERE tenant = ? AND person = ?", values)
        }
        try changeOne("DELETE FROM person WHERE tenant = ? AND id = ?", values)
    }

    func people(tenant: TenantID, search: String, after: FoldedUsername?, limit: Int) throws -> [StoredPerson] {
        let cursor = after?.rawValue ?? ""
        if search.isEmpty {
            return try rows(
                "SELECT \(Self.columns) FROM person WHERE tenant = ? AND folded_username > ? ORDER BY folded_username LIMIT ?",
                [tenant.rawValue, cursor, limit]
            ).map(person)
        }
        let first = search.lowercased()
        let last = first + "\u{10FFFF}"
        return try rows(
            """
            SELECT \(Self.columns) FROM person WHERE tenant = ? AND folded_username > ? AND id IN (
                SELECT id FROM person WHERE tenant = ? AND folded_username >= ? AND folded_username < ?
                UNION SELECT id FROM person WHERE tenant = ? AND folded_display_name >= ? AND folded_display_name < ?)
            ORDER BY folded_username LIMIT ?
            """,
            [tenant.rawValue, cursor, tenant.rawValue, first, last, tenant.rawValue, first, last, limit]
        ).map(person)
    }

    func existing(people ids: [PersonID], tenant: TenantID) throws -> Set<PersonID> {
        Set(
            try rows(
                "SELECT id FROM person WHERE tenant = ? AND id = ANY(CAST(? AS TEXT[]))",
                [tenant.rawValue, TextArray(ids.map(\.rawValue))]
            ).map { try $0.id("id") })
    }

    func members(of group: GroupID, tenant: TenantID, after: FoldedUsername?, limit: Int) throws
        -> [StoredPerson]
    {
        let columns = Self.columns.split(separator: ", ").map { "person.\($0)" }.joined(separator: ", ")
        return try rows(
            """
            SELECT \(columns) FROM membership JOIN person ON person.tenant = membership.tenant AND person.id = membership.person
            WHERE membership.tenant = ? AND membership.group_id = ? AND person.folded_username > ?
            ORDER BY person.folded_username LIMIT ?
            """,
            [tenant.rawValue, group.rawValue, after?.rawValue ?? "", limit]
        ).map(person)
    }
}
