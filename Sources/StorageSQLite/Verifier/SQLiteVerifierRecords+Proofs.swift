package import Domain
import Foundation
import GRDB
package import Storage

extension SQLiteVerifierRecords {
    package func take(_ identifier: ProofIdentifier) throws -> RequestID? {
        try database.cachedStatement(
            sql: "INSERT INTO proof_identifier VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING"
        ).execute(
            arguments: [Data(identifier.digest), identifier.usedBy.description, identifier.keptUntil.milliseconds])
        guard database.changesCount == 0 else { return nil }
        let statement = try database.cachedStatement(sql: "SELECT used_by FROM proof_identifier WHERE digest = ?")
        guard let text = try String.fetchOne(statement, arguments: [Data(identifier.digest)]),
            let request = RequestID(text)
        else {
            throw StorageError.corrupt
        }
        return request
    }

    package func deleteProofIdentifiers(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM proof_identifier WHERE digest IN (
                    SELECT digest FROM proof_identifier WHERE kept_until < ? ORDER BY kept_until LIMIT ?)
                """
        ).execute(arguments: [time.milliseconds, limit])
        return database.changesCount
    }

    package func numberFailures(tenant: TenantID, device: DeviceID) throws -> NumberFailures? {
        try record(
            "SELECT failures, last_answer, last_at FROM number_failures WHERE tenant = ? AND device = ?",
            [tenant.rawValue, device.rawValue]
        ) { row in
            NumberFailures(
                tenant: tenant, device: device, count: row[0], lastAnswer: Array(row[1] as Data),
                lastAt: Timestamp(milliseconds: row[2]))
        }
    }

    package func save(_ failures: NumberFailures) throws {
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO number_failures VALUES (?, ?, ?, ?, ?)").execute(
            arguments: [
                failures.tenant.rawValue, failures.device.rawValue, failures.count, Data(failures.lastAnswer),
                failures.lastAt.milliseconds,
            ])
    }
}
