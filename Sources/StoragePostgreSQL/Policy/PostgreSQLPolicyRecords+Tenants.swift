import Domain
import Storage

extension PostgreSQLPolicyRecords {
    func latestRevision() throws -> Revision { try revision("SELECT latest FROM revision") }

    func nextRevision() throws -> Revision {
        try revision("UPDATE revision SET latest = latest + 1 RETURNING latest")
    }

    private func revision(_ sql: String) throws -> Revision {
        guard let row = try row(sql, []) else { throw StorageError.corrupt }
        return Revision(try row["latest"] as Int64)
    }

    func tenant(_ id: TenantID) throws -> StoredTenant? {
        try row("SELECT * FROM tenant WHERE id = ?", [id.rawValue]).map(StoredTenant.init)
    }

    func insert(_ tenant: StoredTenant) throws {
        try insert(
            """
            INSERT INTO tenant (
                id, name, created_at, revision, policy_json, policy_revision, settings_json, settings_revision)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                tenant.id.rawValue, tenant.name, tenant.createdAt.milliseconds, Int64(tenant.revision),
                tenant.policy.json, Int64(tenant.policy.revision), tenant.settings.json,
                Int64(tenant.settings.revision),
            ])
    }

    func replace(
        _ kind: TenantDocument, of tenant: TenantID, with document: StoredDocument, expecting expected: Revision
    ) throws {
        let changed = try change(
            """
            UPDATE tenant SET \(kind.rawValue)_json = ?, \(kind.rawValue)_revision = ?, revision = ?
            WHERE id = ? AND \(kind.rawValue)_revision = ?
            """,
            [
                document.json, Int64(document.revision), Int64(document.revision), tenant.rawValue, Int64(expected),
            ])
        guard changed == 1 else { throw StorageError.conflict }
    }

    func move(_ tenant: TenantID, to revision: Revision) throws {
        try changeOne("UPDATE tenant SET revision = ? WHERE id = ?", [Int64(revision), tenant.rawValue])
    }

    func tenants(changedAfter revision: Revision, limit: Int) throws -> [StoredTenant] {
        try rows(
            "SELECT * FROM tenant WHERE revision > ? ORDER BY revision LIMIT ?", [Int64(clamping: revision), limit]
        ).map(StoredTenant.init)
    }

    func tenants(after id: TenantID?, limit: Int) throws -> [StoredTenant] {
        try rows("SELECT * FROM tenant WHERE id > ? ORDER BY id LIMIT ?", [id?.rawValue ?? "", limit]).map(
            StoredTenant.init)
    }
}

extension StoredTenant {
    init(_ row: Row) throws {
        try self.init(
            id: row.id("id"), name: row["name"], createdAt: row.time("created_at"), revision: row.revision("revision"),
            policy: StoredDocument(json: row["policy_json"], revision: row.revision("policy_revision")),
            settings: StoredDocument(json: row["settings_json"], revision: row.revision("settings_revision")))
    }
}

extension Row {
    fileprivate func revision(_ column: String) throws -> Revision { Revision(try self[column] as Int64) }
}
