import Domain
package import GRDB
package import Storage

/// The policy service's records in SQLite; valid inside one transaction. Tenants are here, the rest in extensions.
package struct SQLitePolicyRecords: PolicyRecords, SQLiteMemoRecords, SQLiteAuditRecords {
    package let database: Database

    package init(_ database: Database) { self.database = database }

    package static let migrations = SQLiteMigrations([
        .memo, .audit, SQLiteMigration("policy-0001", PackageResources.policy_0001_sql),
    ])

    /// Inserts one row; a taken key is `alreadyExists`. A missing parent is not: it is `notFound`.
    func insert(_ sql: String, _ arguments: StatementArguments) throws {
        do {
            try execute(sql, arguments)
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_FOREIGNKEY {
            throw StorageError.notFound
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw StorageError.alreadyExists
        }
    }
}

extension SQLiteStore where Records == any PolicyRecords {
    /// Opens the policy service's database, and makes it when there is none. Throws `StoreOpeningError`.
    package static func policy(
        path: String, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
    ) throws(StoreOpeningError) -> SQLiteStore {
        try SQLiteStore(path: path, of: SQLitePolicyRecords.self, limits: limits, onCommit: onCommit) { $0 }
    }
}
