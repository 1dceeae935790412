import Domain
package import Storage

/// The notifier's records in one PostgreSQL transaction.
struct PostgreSQLNotifierRecords: NotifierRecords, PostgreSQLRecords {
    let connection: Connection

    static let migrations = PostgreSQLMigrations([
        PostgreSQLMigration("notifier-0001", PackageResources.notifier_0001_sql),
        PostgreSQLMigration("notifier-0002", PackageResources.notifier_0002_sql),
        PostgreSQLMigration("notifier-0003", PackageResources.notifier_0003_sql),
        PostgreSQLMigration("notifier-0004", PackageResources.notifier_0004_sql),
        PostgreSQLMigration("notifier-0005", PackageResources.notifier_0005_sql),
        PostgreSQLMigration("notifier-0006", PackageResources.notifier_0006_sql),
        PostgreSQLMigration("notifier-0007", PackageResources.notifier_0007_sql),
        PostgreSQLMigration("notifier-0008", PackageResources.notifier_0008_sql),
    ])
}

extension PostgreSQLStore where Records == any NotifierRecords {
    /// Opens the notifier service's schema, and makes it when there is none. Throws `StoreOpeningError`.
    package static func notifier(
        _ configuration: PostgreSQLConfiguration, onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in },
        onFailedRun: @escaping @Sendable (FailedRun) -> Void = { _ in }
    ) async throws(StoreOpeningError) -> PostgreSQLStore {
        try await PostgreSQLStore(
            configuration, of: PostgreSQLNotifierRecords.self, onCommit: onCommit, onFailedRun: onFailedRun
        ) { $0 }
    }
}
