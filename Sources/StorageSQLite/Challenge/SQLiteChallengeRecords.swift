import Domain
import Foundation
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
    ])

    /// Compiled once a connection.
    func statement(_ sql: String) throws -> Statement { try database.cachedStatement(sql: sql) }

    func execute(_ sql: String, _ arguments: StatementArguments) throws {
        try statement(sql).execute(arguments: arguments)
    }

    func rows(_ sql: String, _ arguments: StatementArguments) throws -> [Row] {
        try Row.fetchAll(try statement(sql), arguments: arguments, adapter: Row.namesInTable)
    }
}

extension SQLiteStore where Records == any ChallengeRecords {
    /// The challenge service's database in one file.
    package static func challenge(
        path: String, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
    ) throws(StoreOpeningError) -> SQLiteStore<any ChallengeRecords> {
        try SQLiteStore(path: path, migrations: SQLiteChallengeRecords.migrations, limits: limits, onCommit: onCommit) {
            SQLiteChallengeRecords($0)
        }
    }
}
