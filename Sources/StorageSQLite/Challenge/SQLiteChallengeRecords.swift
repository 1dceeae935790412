import Domain
package import GRDB
package import Storage

/// The challenge service's records in SQLite; valid inside one transaction.
package struct SQLiteChallengeRecords: ChallengeRecords, SQLiteMemoRecords {
    package let database: Database

    package init(_ database: Database) { self.database = database }

    package static let migrations = SQLiteMigrations([
        .memo, SQLiteMigration("challenge-0001", PackageResources.challenge_0001_sql),
        SQLiteMigration("challenge-0002", PackageResources.challenge_0002_sql),
        SQLiteMigration("challenge-0003", PackageResources.challenge_0003_sql),
        SQLiteMigration("challenge-0004", PackageResources.challenge_0004_sql),
    ])
}

extension SQLiteStore where Records == any ChallengeRecords {
    /// Opens the challenge service's database, and makes it when there is none. Throws `StoreOpeningError`.
    package static func challenge(
        path: String, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
    ) throws(StoreOpeningError) -> SQLiteStore {
        try SQLiteStore(path: path, of: SQLiteChallengeRecords.self, limits: limits, onCommit: onCommit) { $0 }
    }
}
