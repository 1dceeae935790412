import Domain
import Foundation
import Storage
import TestSupport

@testable import StoragePostgreSQL

/// Records of a store that keeps memos and an audit log, and lets a test reach its connection.
struct TrialRecords: PostgreSQLMemoRecords, PostgreSQLAuditRecords {
    static let migrations = PostgreSQLMigrations([.memo, .audit])

    let connection: Connection

    /// The server's process for this connection.
    func backend() throws -> Int64 {
        try row("SELECT CAST(pg_backend_pid() AS BIGINT) AS process", [])?["process"] ?? 0
    }
}

/// A schema that nobody else has.
func trialConfiguration(
    _ server: PostgreSQLServer, schema: String = "t" + UUID().uuidString.lowercased().replacing("-", with: "")
) -> PostgreSQLConfiguration {
    PostgreSQLConfiguration(
        url: server.url, passwordFile: server.passwordFile, schema: schema, applicationName: "countersign-test")
}

func trialStore(
    _ configuration: PostgreSQLConfiguration, migrations: PostgreSQLMigrations = TrialRecords.migrations,
    surroundings: Session.Surroundings = Session.Surroundings()
) async throws -> PostgreSQLStore<TrialRecords> {
    try await PostgreSQLStore(configuration, migrations: migrations, surroundings: surroundings) {
        TrialRecords(connection: $0)
    }
}

func memo(_ number: UInt64) -> Memo {
    Memo(
        request: RequestID(high: 1, low: number), fingerprint: [1], reply: [2], replyUntil: Timestamp(seconds: 9),
        keptUntil: Timestamp(seconds: 9))
}

/// An operator at the server's console.
func administer(_ server: PostgreSQLServer, _ sql: String) throws {
    let configuration = trialConfiguration(server, schema: "public")
    try Connection(configuration).script(sql)
}
