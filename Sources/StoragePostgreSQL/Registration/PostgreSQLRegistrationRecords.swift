import Domain
package import Storage

/// The registration service's records in one PostgreSQL transaction.
struct PostgreSQLRegistrationRecords: RegistrationRecords, PostgreSQLMemoRecords, PostgreSQLAuditRecords {
    let connection: Connection

    static let migrations = PostgreSQLMigrations([
        .memo, .audit, PostgreSQLMigration("registration-0001", PackageResources.registration_0001_sql),
        PostgreSQLMigration("registration-0002", PackageResources.registration_0002_sql),
        PostgreSQLMigration("registration-0003", PackageResources.registration_0003_sql),
    ])
}

extension PostgreSQLStore where Records == any RegistrationRecords {
    /// Opens the registration service's schema, and makes it when there is none. Throws `StoreOpeningError`.
    package static func registration(
        _ configuration: PostgreSQLConfiguration, onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in },
        onFailedRun: @escaping @Sendable (FailedRun) -> Void = { _ in }
    ) async throws(StoreOpeningError) -> PostgreSQLStore {
        try await PostgreSQLStore(
            configuration, of: PostgreSQLRegistrationRecords.self, onCommit: onCommit, onFailedRun: onFailedRun
        ) { $0 }
    }
}
