package import Domain
package import GRDB
package import Storage

/// The notifier's records over one SQLite transaction.
package struct SQLiteNotifierRecords: SQLiteRecords, NotifierRecords {
    package let database: Database

    package init(_ database: Database) { self.database = database }

    package static let migrations = SQLiteMigrations([
        SQLiteMigration("notifier-0001", PackageResources.notifier_0001_sql),
        SQLiteMigration("notifier-0002", PackageResources.notifier_0002_sql),
        SQLiteMigration("notifier-0003", PackageResources.notifier_0003_sql),
        SQLiteMigration("notifier-0004", PackageResources.notifier_0004_sql),
        SQLiteMigration("notifier-0005", PackageResources.notifier_0005_sql),
        SQLiteMigration("notifier-0006", PackageResources.notifier_0006_sql),
        SQLiteMigration("notifier-0007", PackageResources.notifier_0007_sql),
        SQLiteMigration("notifier-0008", PackageResources.notifier_0008_sql),
    ])

    package func append(_ delivery: DeliveryRecord) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO delivery (tenant, challenge, device, transport, outcome, at, latency_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            delivery.tenant.rawValue, delivery.challenge.rawValue, delivery.device.rawValue, delivery.transport,
            delivery.outcome,
            delivery.at.milliseconds, delivery.latency.milliseconds,
        ])
    }

    package func deliveries(tenant: TenantID, challenge: ChallengeID?, before: Int64?, limit: Int) throws
        -> [DeliveryRecord]
    {
        let ofChallenge = challenge == nil ? "" : "AND challenge = ?"
        var arguments: StatementArguments = [tenant.rawValue]
        if let challenge { arguments += [challenge.rawValue] }
        arguments += [before ?? Int64.max, limit]
        return try records(
            "SELECT * FROM delivery WHERE tenant = ? \(ofChallenge) AND sequence < ? ORDER BY sequence DESC LIMIT ?",
            arguments
        ) { row in
            DeliveryRecord(
                sequence: row["sequence"], tenant: tenant, challenge: ChallengeID(row["challenge"] as String),
                device: DeviceID(row["device"] as String), transport: row["transport"], outcome: row["outcome"],
                at: Timestamp(milliseconds: row["at"]), latency: .milliseconds(row["latency_ms"] as Int64))
        }
    }

    package func claim(_ claim: DeliveryClaim, limit: Int) throws -> ClaimOutcome {
        // A SELECT without a condition would take ON CONFLICT for a join's.
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO delivery_claim (tenant, challenge, device, kept_until, has_place)
                SELECT ?, ?, ?, ?,
                    (SELECT count(*) FROM delivery_claim WHERE tenant = ? AND challenge = ? AND has_place) < ?
                WHERE true
                ON CONFLICT (tenant, challenge, device) DO NOTHING
                RETURNING has_place
                """)
        let arguments: StatementArguments = [
            claim.tenant.rawValue, claim.challenge.rawValue, claim.device.rawValue, claim.keptUntil.milliseconds,
            claim.tenant.rawValue, claim.challenge.rawValue, limit,
        ]
        guard let made = try Row.fetchAll(statement, arguments: arguments).first else { return .repeated }
        let hasPlace: Bool = made["has_place"]
        return hasPlace ? .place : .noPlace
    }

    package func deleteDeliveries(before time: Timestamp, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql:
                "DELETE FROM delivery WHERE sequence IN (SELECT sequence FROM delivery WHERE at < ? ORDER BY at LIMIT ?)"
        ).execute(arguments: [time.milliseconds, limit])
        return database.changesCount
    }

    package func deleteClaims(keptUntilBefore time: Timestamp, limit: Int) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM delivery_claim WHERE (tenant, challenge, device) IN (
                    SELECT tenant, challenge, device FROM delivery_claim WHERE kept_until < ? ORDER BY kept_until LIMIT ?)
                """
        ).execute(arguments: [time.milliseconds, limit])
        return database.changesCount
    }
}

extension SQLiteStore where Records == any NotifierRecords {
    /// Opens the notifier's database, and makes it when there is none. Throws `StoreOpeningError`.
    package static func notifier(
        path: String, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
    ) throws(StoreOpeningError) -> SQLiteStore {
        try SQLiteStore(path: path, of: SQLiteNotifierRecords.self, limits: limits, onCommit: onCommit) { $0 }
    }
}
