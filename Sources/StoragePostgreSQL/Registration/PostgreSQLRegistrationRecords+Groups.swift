import Domain
import Storage

extension PostgreSQLRegistrationRecords {
    private static let columns = "tenant, id, name, created_at"

    private func group(_ row: Row) throws -> StoredGroup {
        try StoredGroup(
            tenant: row.id("tenant"), id: row.id("id"), name: row["name"],
            createdAt: row.time("created_at"))
    }

    func group(_ id: GroupID, tenant: TenantID) throws -> StoredGroup? {
        try row(
            "SELECT \(Self.columns) FROM directory_group WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue]
        ).map(group)
    }

    func group(named name: String, tenant: TenantID) throws -> StoredGroup? {
        try row(
            "SELECT \(Self.columns) FROM directory_group WHERE tenant = ? AND folded_name = ?",
            [tenant.rawValue, StoredGroup.folded(name)]
        ).map(group)
    }

    func insert(_ group: StoredGroup) throws {
        try insert(
            "INSERT INTO directory_group (tenant, id, name, folded_name, created_at) VALUES (?, ?, ?, ?, ?)",
            [
                group.tenant.rawValue, group.id.rawValue, group.name, StoredGroup.folded(group.name),
                group.createdAt.milliseconds,
            ])
    }

    func rename(_ id: GroupID, to name: String, tenant: TenantID) throws {
        try changeOne(
            "UPDATE directory_group SET name = ?, folded_name = ? WHERE tenant = ? AND id = ?",
            [name, StoredGroup.folded(name), tenant.rawValue, id.rawValue])
    }

    func deleteGroup(_ id: GroupID, tenant: TenantID) throws {
        try add("DELETE FROM membership WHERE tenant = ? AND group_id = ?", [tenant.rawValue, id.rawValue])
        try changeOne("DELETE FROM directory_group WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue])
    }

    func groups(tenant: TenantID, search: String, after: String?, limit: Int) throws -> [StoredGroup] {
        let first = StoredGroup.folded(search)
        return try rows(
            """
            SELECT \(Self.columns) FROM directory_group
            WHERE tenant = ? AND folded_name > ? AND folded_name >= ? AND folded_name < ? ORDER BY folded_name LIMIT ?
            """,
            [tenant.rawValue, after ?? "", first, first + "\u{10FFFF}", limit]
        ).map(group)
    }

    func existing(groups ids: [GroupID], tenant: TenantID) throws -> Set<GroupID> {
        Set(
            try rows(
                "SELECT id FROM directory_group WHERE tenant = ? AND id = ANY(CAST(? AS TEXT[]))",
                [tenant.rawValue, TextArray(ids.map(\.rawValue))]
            ).map { try $0.id("id") })
    }

    func groups(of person: PersonID, tenant: TenantID) throws -> [GroupID] {
        try rows(
            "SELECT group_id FROM membership WHERE tenant = ? AND person = ? ORDER BY group_id",
            [tenant.rawValue, person.rawValue]
        ).map { try $0.id("group_id") }
    }

    func groups(of people: [PersonID], tenant: TenantID) throws -> [PersonID: [GroupID]] {
        var groups: [PersonID: [GroupID]] = [:]
        let memberships = try rows(
            """
            SELECT person, group_id FROM membership WHERE tenant = ? AND person = ANY(CAST(? AS TEXT[]))
            ORDER BY person, group_id
            """,
            [tenant.rawValue, TextArray(people.map(\.rawValue))])
        for row in memberships { groups[try row.id("person"), default: []].append(try row.id("group_id")) }
        return groups
    }

    func add(_ person: PersonID, to group: GroupID, tenant: TenantID) throws {
        try add(
            "INSERT INTO membership (tenant, group_id, person) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [tenant.rawValue, group.rawValue, person.rawValue])
    }

    func remove(_ person: PersonID, from group: GroupID, tenant: TenantID) throws {
        try add(
            "DELETE FROM membership WHERE tenant = ? AND group_id = ? AND person = ?",
            [tenant.rawValue, group.rawValue, person.rawValue])
    }

    func memberCount(_ group: GroupID, tenant: TenantID) throws -> Int {
        try row(
            "SELECT count(*) AS members FROM membership WHERE tenant = ? AND group_id = ?",
            [tenant.rawValue, group.rawValue]
        )?["members"] ?? 0
    }
}
