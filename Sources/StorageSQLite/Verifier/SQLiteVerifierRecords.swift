import Domain
import Foundation
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
    /// Opens the verifier's database. Throws `StoreOpeningError`.
    package static func verifier(
        path: String, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
    ) throws(StoreOpeningError) -> SQLiteStore<any VerifierRecords> {
        try SQLiteStore(path: path, migrations: SQLiteVerifierRecords.migrations, limits: limits, onCommit: onCommit) {
            SQLiteVerifierRecords($0)
        }
    }
}
