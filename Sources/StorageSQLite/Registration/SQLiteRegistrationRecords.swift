import Domain
package import GRDB
package import Storage

/// The registration service's records in one SQLite transaction.
package struct SQLiteRegistrationRecords: RegistrationRecords, SQLiteMemoRecords, SQLiteAuditRecords {
    package let database: Database

    package init(_ database: Database) { self.database = database }

    package static let migrations = SQLiteMigrations([
        .memo, .audit, SQLiteMigration("registration-0001", PackageResources.registration_0001_sql),
        SQLiteMigration("registration-0002", PackageResources.registration_0002_sql),
        SQLiteMigration("registration-0003", PackageResources.registration_0003_sql),
        SQLiteMigration("registration-0004", PackageResources.registration_0004_sql),
    ])

    /// Runs a statement and returns how many rows it changed. A broken uniqueness is `alreadyExists`.
    @discardableResult
    func change(_ sql: String, _ arguments: StatementArguments) throws -> Int {
        do {
            try execute(sql, arguments)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw StorageError.alreadyExists
        }
        return database.changesCount
    }

    /// As `change`; throws `notFound` when no row was changed.
    func changeOne(_ sql: String, _ arguments: StatementArguments) throws {
        guard try change(sql, arguments) == 1 else { throw StorageError.notFound }
    }
}

extension SQLiteStore where Records == any RegistrationRecords {
    /// Opens the registration service's database, and makes it when there is none. Throws `StoreOpeningError`.
    package static func registration(
        path: String, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
    ) throws(StoreOpeningError) -> SQLiteStore {
        try SQLiteStore(path: path, of: SQLiteRegistrationRecords.self, limits: limits, onCommit: onCommit) { $0 }
    }
}
