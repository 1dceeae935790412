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
        try record(
            "SELECT \(Self.columns) FROM directory_group WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue],
            group)
    }

    package func group(named name: String, tenant: TenantID) throws -> StoredGroup? {
        try record(
            "SELECT \(Self.columns) FROM directory_group WHERE tenant = ? AND folded_name = ?",
            [tenant.rawValue, StoredGroup.folded(name)], group)
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
        return try records(
            """
            SELECT \(Self.columns) FROM directory_group
            WHERE tenant = ? AND folded_name > ? AND folded_name >= ? AND folded_name < ? ORDER BY folded_name LIMIT ?
            """,
            [tenant.rawValue, after ?? "", first, first + "\u{10FFFF}", limit], group)
    }

    package func existing(groups ids: [GroupID], tenant: TenantID) throws -> Set<GroupID> {
        Set(
            try records(
                "SELECT id FROM directory_group WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))",
                [tenant.rawValue, TextList.json(ids.map(\.rawValue))]
            ) { GroupID($0["id"]) })
    }

    package func groups(of person: PersonID, tenant: TenantID) throws -> [GroupID] {
        try records(
            "SELECT group_id FROM membership WHERE tenant = ? AND person = ? ORDER BY group_id",
            [tenant.rawValue, person.rawValue]
        ) { GroupID($0["group_id"]) }
    }

    package func groups(of people: [PersonID], tenant: TenantID) throws -> [PersonID: [GroupID]] {
        var groups: [PersonID: [GroupID]] = [:]
        let memberships = try memberships(
            "person IN (SELECT value FROM json_each(?)) ORDER BY person, group_id",
            [tenant.rawValue, TextList.json(people.map(\.rawValue))])
        for (person, group) in memberships { groups[person, default: []].append(group) }
        return groups
    }

    /// Who is in which group, of the tenant that is the first of `arguments`.
    func memberships(_ condition: String, _ arguments: StatementArguments) throws -> [(PersonID, GroupID)] {
        try records("SELECT person, group_id FROM membership WHERE tenant = ? AND \(condition)", arguments) {
            ($0.id("person"), $0.id("group_id"))
        }
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
        try record(
            "SELECT count(*) AS members FROM membership WHERE tenant = ? AND group_id = ?",
            [tenant.rawValue, group.rawValue]
        ) { $0["members"] } ?? 0
    }
}
