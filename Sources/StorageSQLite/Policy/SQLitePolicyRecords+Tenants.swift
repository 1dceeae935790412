package import Domain
import GRDB
package import Storage

extension SQLitePolicyRecords {
    package func latestRevision() throws -> Revision {
        guard let latest = try Int64.fetchOne(try database.cachedStatement(sql: "SELECT latest FROM revision")) else {
            throw StorageError.corrupt
        }
        return Revision(latest)
    }

    package func nextRevision() throws -> Revision {
        try execute("UPDATE revision SET latest = latest + 1", [])
        return try latestRevision()
    }

    package func tenant(_ id: TenantID) throws -> StoredTenant? {
        try record("SELECT * FROM tenant WHERE id = ?", [id.rawValue], StoredTenant.init)
    }

    package func insert(_ tenant: StoredTenant) throws {
        try insert(
            "INSERT INTO tenant VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                tenant.id.rawValue, tenant.name, tenant.createdAt.milliseconds, Int64(tenant.revision),
                tenant.policy.json,
                Int64(tenant.policy.revision), tenant.settings.json, Int64(tenant.settings.revision),
            ])
    }

    package func replace(
        _ kind: TenantDocument, of tenant: TenantID, with document: StoredDocument, expecting expected: Revision
    ) throws {
        let sql =
            switch kind {
            case .policy:
                "UPDATE tenant SET policy_json = ?1, policy_revision = ?2, revision = ?2 WHERE id = ?3 AND policy_revision = ?4"
            case .settings:
                "UPDATE tenant SET settings_json = ?1, settings_revision = ?2, revision = ?2 WHERE id = ?3 AND settings_revision = ?4"
            }
        try execute(sql, [document.json, Int64(document.revision), tenant.rawValue, Int64(expected)])
        guard database.changesCount == 1 else { throw StorageError.conflict }
    }

    package func move(_ tenant: TenantID, to revision: Revision) throws {
        try execute("UPDATE tenant SET revision = ? WHERE id = ?", [Int64(revision), tenant.rawValue])
        guard database.changesCount == 1 else { throw StorageError.notFound }
    }

    package func tenants(changedAfter revision: Revision, limit: Int) throws -> [StoredTenant] {
        try records(
            "SELECT * FROM tenant WHERE revision > ? ORDER BY revision LIMIT ?", [Int64(clamping: revision), limit],
            StoredTenant.init)
    }

    package func tenants(after id: TenantID?, limit: Int) throws -> [StoredTenant] {
        try records(
            "SELECT * FROM tenant WHERE id > ? ORDER BY id LIMIT ?", [id?.rawValue ?? "", limit], StoredTenant.init)
    }
}

extension StoredTenant {
    init(_ row: Row) {
        self.init(
            id: TenantID(row["id"] as String), name: row["name"], createdAt: Timestamp(milliseconds: row["created_at"]),
            revision: Revision(row["revision"] as Int64),
            policy: StoredDocument(json: row["policy_json"], revision: Revision(row["policy_revision"] as Int64)),
            settings: StoredDocument(json: row["settings_json"], revision: Revision(row["settings_revision"] as Int64)))
    }
}
