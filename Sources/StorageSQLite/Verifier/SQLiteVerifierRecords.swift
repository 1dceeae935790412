import Domain
package import GRDB
package import Storage

/// The verifier's records over one SQLite transaction.
package struct SQLiteVerifierRecords: VerifierRecords, SQLiteMemoRecords, SQLiteAuditRecords {
    package let database: Database

    package init(_ database: Database) { self.database = database }

    package static let migrations = SQLiteMigrations([
        .memo, .audit, SQLiteMigration("verifier-0001", PackageResources.verifier_0001_sql),
    ])
}

extension SQLiteStore where Records == any VerifierRecords {
    /// Opens the verifier's database, and makes it when there is none. Throws `StoreOpeningError`.
    package static func verifier(
        path: String, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
    ) throws(StoreOpeningError) -> SQLiteStore {
        try SQLiteStore(path: path, of: SQLiteVerifierRecords.self, limits: limits, onCommit: onCommit) { $0 }
    }
}
