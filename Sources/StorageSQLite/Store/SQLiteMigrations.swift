import GRDB
import Storage

/// One step of a schema: numbered by its place in `SQLiteMigrations`, never changed once released.
package struct SQLiteMigration: Sendable {
    let name: String
    let sql: String

    /// `sql` is a file of `Migrations/`, embedded in the program: `SQLiteMigration("policy-0001", PackageResources.policy_0001_sql)`.
    package init(_ name: String, _ sql: [UInt8]) {
        self.name = name
        self.sql = String(decoding: sql, as: UTF8.self)
    }

    /// The stored replies that every service keeps: `SQLiteMemoRecords`.
    package static let memo = SQLiteMigration("memo-0001", PackageResources.memo_0001_sql)
    /// The audit log of a service that makes changes: `SQLiteAuditRecords`.
    package static let audit = SQLiteMigration("audit-0001", PackageResources.audit_0001_sql)
}

/// A service's whole schema as the steps that lead to it. New steps are added at the end.
package struct SQLiteMigrations: Sendable {
    private let steps: [SQLiteMigration]

    package init(_ steps: [SQLiteMigration]) { self.steps = steps }

    /// The version of the schema that this build knows: the number of steps.
    package var latest: Int { steps.count }

    static func version(of database: Database) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT max(version) FROM schema_version") ?? 0
    }

    /// Brings the database to `latest`, each step in a transaction of its own. The caller owns the file.
    func apply(to database: Database, path: String) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS schema_version (
                    version INTEGER PRIMARY KEY,
                    name TEXT NOT NULL,
                    applied_at TEXT NOT NULL
                ) STRICT
                """)
        let applied = try String.fetchAll(database, sql: "SELECT name FROM schema_version ORDER BY version")
        guard applied.count <= steps.count else {
            throw StoreOpeningError.newer(path: path, found: applied.count, known: steps.count)
        }
        for (step, name) in zip(steps, applied) where step.name != name {
            throw StoreOpeningError.foreign(path: path, detail: "it holds \(name) where \(step.name) belongs")
        }
        for (index, step) in steps.enumerated().dropFirst(applied.count) {
            try database.inTransaction(.immediate) {
                try database.execute(sql: step.sql)
                try database.execute(
                    sql: "INSERT INTO schema_version VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ'))",
                    arguments: [index + 1, step.name])
                return .commit
            }
        }
    }
}
