package import Domain
import Foundation
import GRDB
package import Storage

extension SQLitePolicyRecords {
    package func insert(_ client: StoredClient) throws {
        try insert(
            """
            INSERT INTO client (tenant, id, name, secret_digest, applications_json, any_application, roles_json, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                client.tenant.rawValue, client.id.rawValue, client.name, Data(client.secretDigest),
                TextList.json(client.applications),
                client.anyApplication, TextList.json(client.roles), client.createdAt.milliseconds,
            ])
    }

    package func client(_ id: ClientID, of tenant: TenantID) throws -> StoredClient? {
        try record("SELECT * FROM client WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue], Self.client)
    }

    package func clients(of tenant: TenantID, after place: Int64?, limit: Int) throws -> [(
        place: Int64, client: StoredClient
    )] {
        try records(
            "SELECT * FROM client WHERE tenant = ? AND place > ? ORDER BY place LIMIT ?",
            [tenant.rawValue, place ?? 0, limit]
        ) { (place: $0["place"], client: try Self.client($0)) }
    }

    package func deleteClient(_ id: ClientID, of tenant: TenantID) throws {
        // Its tokens go by the foreign key.
        try execute("DELETE FROM client WHERE tenant = ? AND id = ?", [tenant.rawValue, id.rawValue])
        guard database.changesCount == 1 else { throw StorageError.notFound }
    }

    package func insert(_ token: StoredToken) throws {
        var (client, administrator): (String?, String?) = (nil, nil)
        switch token.holder {
        case .client(let id): client = id.rawValue
        case .administrator(let name): administrator = name
        }
        try insert(
            "INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                Data(token.digest), token.id, token.tenant.rawValue, client, administrator,
                token.createdAt.milliseconds,
                token.expiresAt?.milliseconds,
            ])
    }

    package func token(digest: [UInt8], of tenant: TenantID) throws -> StoredToken? {
        try record("SELECT * FROM token WHERE digest = ? AND tenant = ?", [Data(digest), tenant.rawValue]) {
            row in
            let client: String? = row["client"]
            let expiresAt: Int64? = row["expires_at"]
            return StoredToken(
                digest: Array(row["digest"] as Data), id: row["id"], tenant: TenantID(row["tenant"] as String),
                holder: client.map { .client(ClientID($0)) } ?? .administrator(name: row["administrator"] ?? ""),
                createdAt: Timestamp(milliseconds: row["created_at"]),
                expiresAt: expiresAt.map(Timestamp.init(milliseconds:)))
        }
    }

    package func deleteAdministratorTokens(of tenant: TenantID) throws -> Int {
        try execute("DELETE FROM token WHERE tenant = ? AND administrator IS NOT NULL", [tenant.rawValue])
        return database.changesCount
    }

    package func deleteTokens(expiredAt time: Timestamp, limit: Int) throws -> Int {
        try execute(
            "DELETE FROM token WHERE digest IN (SELECT digest FROM token WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
            [time.milliseconds, limit])
        return database.changesCount
    }

    private static func client(_ row: Row) throws -> StoredClient {
        StoredClient(
            tenant: TenantID(row["tenant"] as String), id: ClientID(row["id"] as String), name: row["name"],
            secretDigest: Array(row["secret_digest"] as Data),
            rights: StoredClient.Rights(
                applications: try TextList.texts(row["applications_json"]), anyApplication: row["any_application"],
                roles: try TextList.texts(row["roles_json"])),
            createdAt: Timestamp(milliseconds: row["created_at"]))
    }
}
