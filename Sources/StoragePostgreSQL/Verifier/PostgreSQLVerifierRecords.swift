import Domain
package import Storage

/// The verifier's records in one PostgreSQL transaction.
struct PostgreSQLVerifierRecords: VerifierRecords, PostgreSQLMemoRecords, PostgreSQLAuditRecords {
    let connection: Connection

    static let migrations = PostgreSQLMigrations([
        .memo, .audit, PostgreSQLMigration("verifier-0001", PackageResources.verifier_0001_sql),
    ])
}

extension PostgreSQLStore where Records == any VerifierRecords {
    /// Opens the verifier service's schema, and makes it when there is none. Throws `StoreOpeningError`.
    package static func verifier(
        _ configuration: PostgreSQLConfiguration, onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in },
        onFailedRun: @escaping @Sendable (FailedRun) -> Void = { _ in }
    ) async throws(StoreOpeningError) -> PostgreSQLStore {
        try await PostgreSQLStore(
            configuration, of: PostgreSQLVerifierRecords.self, onCommit: onCommit, onFailedRun: onFailedRun
        ) { $0 }
    }
}
