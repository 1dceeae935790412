import Domain
package import Storage

/// The challenge service's records in one PostgreSQL transaction.
struct PostgreSQLChallengeRecords: ChallengeRecords, PostgreSQLMemoRecords {
    /// Whatever a transaction decides by, it writes: the challenge and its line (compared and set), the budget, the memo. What a begin
    /// decides by, how many others are open, is the one exception, for which it takes the person's turn.
    static let writeMode = Connection.Mode.writeOnSnapshot

    let connection: Connection

    static let migrations = PostgreSQLMigrations([
        .memo, PostgreSQLMigration("challenge-0001", PackageResources.challenge_0001_sql),
        PostgreSQLMigration("challenge-0002", PackageResources.challenge_0002_sql),
        PostgreSQLMigration("challenge-0003", PackageResources.challenge_0003_sql),
        PostgreSQLMigration("challenge-0004", PackageResources.challenge_0004_sql),
    ])
}

extension PostgreSQLStore where Records == any ChallengeRecords {
    /// Opens the challenge service's schema, and makes it when there is none. Throws `StoreOpeningError`.
    package static func challenge(
        _ configuration: PostgreSQLConfiguration, onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in },
        onFailedRun: @escaping @Sendable (FailedRun) -> Void = { _ in }
    ) async throws(StoreOpeningError) -> PostgreSQLStore {
        try await PostgreSQLStore(
            configuration, of: PostgreSQLChallengeRecords.self, onCommit: onCommit, onFailedRun: onFailedRun
        ) { $0 }
    }
}
