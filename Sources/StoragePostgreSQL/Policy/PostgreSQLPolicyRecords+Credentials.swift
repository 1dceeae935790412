import Domain
import Storage

extension PostgreSQLPolicyRecords {
    func insert(_ client: StoredClient) throws {
        try insert(
            """
            INSERT INTO client (tenant, id, name, secret_digest, applications_json, any_application, roles_json, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                client.tenant.rawValue, client.id.rawValue, client.name, client.secretDigest,
                TextList.json(client.applications), client.anyApplication, TextList.json(client.roles),
                client.createdAt.milliseconds,
            ])
    }

    func client(_ id: ClientID, of tenant: TenantID) throws -> StoredClient? {
        try row("SELECT * FROM client WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue]).map(Self.client)
    }

    func clients(of tenant: TenantID, after place: Int64?, limit: Int) throws -> [(
        place: Int64, client: StoredClient
    )] {
        try rows(
            "SELECT * FROM client WHERE tenant = ? AND place > ? ORDER BY place LIMIT ?",
            [tenant.rawValue, place ?? 0, limit]
        ).map { try (place: $0["place"], client: Self.client($0)) }
    }

    func deleteClient(_ id: ClientID, of tenant: TenantID) throws {
        // Its tokens go by the foreign key.
        try changeOne("DELETE FROM client WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue])
    }

    func insert(_ token: StoredToken) throws {
        var (client, administrator): (String?, String?) = (nil, nil)
        switch token.holder {
        case .client(let id): client = id.rawValue
        case .administrator(let name): administrator = name
        }
        try insert(
            """
            INSERT INTO token (digest, id, tenant, client, administrator, created_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                token.digest, token.id, token.tenant.rawValue, client, administrator, token.createdAt.milliseconds,
                token.expiresAt?.milliseconds,
            ])
    }

    func token(digest: [UInt8], of tenant: TenantID) throws -> StoredToken? {
        try row("SELECT * FROM token WHERE digest = ? AND tenant = ?", [digest, tenant.rawValue]).map { row in
            let client: ClientID? = try row.optionalID("client")
            return try StoredToken(
                digest: row["digest"], id: row["id"], tenant: row.id("tenant"),
                holder: client.map { .client($0) } ?? .administrator(name: row["administrator"]),
                createdAt: row.time("created_at"), expiresAt: row.optionalTime("expires_at"))
        }
    }

    func deleteAdministratorTokens(of tenant: TenantID) throws -> Int {
        try change("DELETE FROM token WHERE tenant = ? AND administrator IS NOT NULL", [tenant.rawValue])
    }

    func deleteTokens(expiredAt time: Timestamp, limit: Int) throws -> Int {
        try change(
            "DELETE FROM token WHERE digest IN (SELECT digest FROM token WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
            [time.milliseconds, limit])
    }

    private static func client(_ row: Row) throws -> StoredClient {
        try StoredClient(
            tenant: row.id("tenant"), id: row.id("id"), name: row["name"], secretDigest: row["secret_digest"],
            rights: StoredClient.Rights(
                applications: row.texts("applications_json"), anyApplication: row["any_application"],
                roles: row.texts("roles_json")),
            createdAt: row.time("created_at"))
    }
}
