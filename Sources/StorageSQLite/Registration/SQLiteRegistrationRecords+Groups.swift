package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteRegistrationRecords {
    private static let columns = "tenant, id, name, created_at"

    private func group(_ row: Row) -> StoredGroup {
        StoredGroup(
            tenant: TenantID(row["tenant"]), id: GroupID(row["id"]), name: row["name"],
            createdAt: row.time("created_at"))
    }

    package func group(_ id: GroupID, tenant: TenantID) throws -> StoredGroup? {
        try row(
            "SELECT \(Self.columns) FROM directory_group WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue]
        ).map(group)
    }

    package func group(named name: String, tenant: TenantID) throws -> StoredGroup? {
        try row(
            "SELECT \(Self.columns) FROM directory_group WHERE tenant = ? AND folded_name = ?",
            [tenant.rawValue, StoredGroup.folded(name)]
        ).map(group)
    }

    package func insert(_ group: StoredGroup) throws {
        try change(
            "INSERT INTO directory_group (tenant, id, name, folded_name, created_at) VALUES (?, ?, ?, ?, ?)",
            [
                group.tenant.rawValue, group.id.rawValue, group.name, StoredGroup.folded(group.name),
                group.createdAt.milliseconds,
            ])
    }

    package func rename(_ id: GroupID, to name: String, tenant: TenantID) throws {
        try changeOne(
            "UPDATE directory_group SET name = ?, folded_name = ? WHERE tenant = ? AND id = ?",
            [name, StoredGroup.folded(name), tenant.rawValue, id.rawValue])
    }

    package func deleteGroup(_ id: GroupID, tenant: TenantID) throws {
        try change("DELETE FROM membership WHERE tenant = ? AND group_id = ?", [tenant.rawValue, id.rawValue])
        try changeOne("DELETE FROM directory_group WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue])
    }

    package func groups(tenant: TenantID, search: String, after: String?, limit: Int) throws -> [StoredGroup] {
        let first = StoredGroup.folded(search)
        return try rows(
            """
            SELECT \(Self.columns) FROM directory_group
            WHERE tenant = ? AND folded_name > ? AND folded_name >= ? AND folded_name < ? ORDER BY folded_name LIMIT ?
            """,
            [tenant.rawValue, after ?? "", first, first + "\u{10FFFF}", limit]
        ).map(group)
    }

    package func existing(groups ids: [GroupID], tenant: TenantID) throws -> Set<GroupID> {
        Set(
            try rows(
                "SELECT id FROM directory_group WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))",
                [tenant.rawValue, TextList.json(ids.map(\.rawValue))]
            ).map { GroupID($0["id"]) })
    }

    package func groups(of person: PersonID, tenant: TenantID) throws -> [GroupID] {
        try rows(
            "SELECT group_id FROM membership WHERE tenant = ? AND person = ? ORDER BY group_id",
            [tenant.rawValue, person.rawValue]
        ).map { GroupID($0["group_id"]) }
    }

    package func groups(of people: [PersonID], tenant: TenantID) throws -> [PersonID: [GroupID]] {
        var groups: [PersonID: [GroupID]] = [:]
        let memberships = try rows(
            """
            SELECT person, group_id FROM membership WHERE tenant = ? AND person IN (SELECT value FROM json_each(?))
            ORDER BY person, group_id
            """,
            [tenant.rawValue, TextList.json(people.map(\.rawValue))])
        for row in memberships { groups[PersonID(row["person"]), default: []].append(GroupID(row["group_id"])) }
        return groups
    }

    package func add(_ person: PersonID, to group: GroupID, tenant: TenantID) throws {
        try change(
            "INSERT INTO membership (tenant, group_id, person) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [tenant.rawValue, group.rawValue, person.rawValue])
    }

    package func remove(_ person: PersonID, from group: GroupID, tenant: TenantID) throws {
        try change(
            "DELETE FROM membership WHERE tenant = ? AND group_id = ? AND person = ?",
            [tenant.rawValue, group.rawValue, person.rawValue])
    }

    package func memberCount(_ group: GroupID, tenant: TenantID) throws -> Int {
        try row(
            "SELECT count(*) AS members FROM membership WHERE tenant = ? AND group_id = ?",
            [tenant.rawValue, group.rawValue]
        )?["members"] ?? 0
    }
}
