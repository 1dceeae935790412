import Domain
package import Storage

/// The policy service's records in one PostgreSQL transaction.
struct PostgreSQLPolicyRecords: PolicyRecords, PostgreSQLMemoRecords, PostgreSQLAuditRecords {
    let connection: Connection

    static let migrations = PostgreSQLMigrations([
        .memo, .audit, PostgreSQLMigration("policy-0001", PackageResources.policy_0001_sql),
    ])
}

extension PostgreSQLStore where Records == any PolicyRecords {
    /// Opens the policy service's schema, and makes it when there is none. Throws `StoreOpeningError`.
    package static func policy(
        _ configuration: PostgreSQLConfiguration, onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in },
        onFailedRun: @escaping @Sendable (FailedRun) -> Void = { _ in }
    ) async throws(StoreOpeningError) -> PostgreSQLStore {
        try await PostgreSQLStore(
            configuration, of: PostgreSQLPolicyRecords.self, onCommit: onCommit, onFailedRun: onFailedRun
        ) { $0 }
    }
}
