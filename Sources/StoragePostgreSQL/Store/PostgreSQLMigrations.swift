import Storage

/// One step of a schema: numbered by its place in `PostgreSQLMigrations`, never changed once released.
struct PostgreSQLMigration: Sendable {
    let name: String
    let sql: String

    /// `sql` is a file of `Migrations/`, embedded in the program.
    init(_ name: String, _ sql: [UInt8]) {
        self.name = name
        self.sql = String(decoding: sql, as: UTF8.self)
    }

    /// The stored replies that every service keeps: `PostgreSQLMemoRecords`.
    static let memo = PostgreSQLMigration("memo-0001", PackageResources.memo_0001_sql)
    /// The audit log of a service that makes changes: `PostgreSQLAuditRecords`.
    static let audit = PostgreSQLMigration("audit-0001", PackageResources.audit_0001_sql)
}

/// A service's whole schema as the steps that lead to it. New steps are added at the end.
struct PostgreSQLMigrations: Sendable {
    private let steps: [PostgreSQLMigration]

    init(_ steps: [PostgreSQLMigration]) { self.steps = steps }

    /// The version of the schema that this build knows: the number of steps.
    var latest: Int { steps.count }

    static func version(on connection: Connection) throws -> Int {
        try connection.run("SELECT max(version) AS version FROM schema_version").first?["version"] ?? 0
    }

    /// Brings the schema to `latest` in one transaction. Of several processes that start at once one does it, and the others find
    /// it done.
    func apply(
        on connection: Connection, _ configuration: PostgreSQLConfiguration
    ) throws(StoreOpeningError) {
        let place = connection.place(configuration)
        do throws(Connection.ScriptFailure) {
            // Steps may take longer than a request may; whoever waits for them may too.
            try connection.script(
                """
                BEGIN; SET LOCAL statement_timeout TO 0; SET LOCAL lock_timeout TO 60000;
                SELECT pg_advisory_xact_lock(\(Self.lock(configuration.schema)))
                """)
            try makeSchema(on: connection, configuration.schema)
        } catch {
            throw .inaccessible(path: place, detail: error.message)
        }
        let applied = try appliedSteps(on: connection, place)
        do throws(Connection.ScriptFailure) {
            for (index, step) in steps.enumerated().dropFirst(applied) {
                try connection.script(step.sql)
                try connection.script(
                    "INSERT INTO schema_version (version, name) VALUES (\(index + 1), '\(step.name)')")
            }
            try connection.script("COMMIT")
        } catch {
            // duplicate_table, duplicate_object: others' tables are in the way.
            let isForeign = ["42P07", "42710"].contains(error.sqlState)
            throw isForeign
                ? .foreign(path: place, detail: error.message) : .inaccessible(path: place, detail: error.message)
        }
    }

    /// The number of a schema's lock. Two schemas with the same number only wait for each other.
    private static func lock(_ schema: String) -> Int64 {
        "countersign \(schema)".utf8.reduce(0) { $0 &* 31 &+ Int64($1) }
    }

    /// Only what is missing is made, so that a role that may not make schemas and tables can start on what an operator made.
    private func makeSchema(on connection: Connection, _ schema: String) throws(Connection.ScriptFailure) {
        if try connection.script("SELECT 1 FROM pg_namespace WHERE nspname = '\(schema)'").isEmpty {
            try connection.script("CREATE SCHEMA \"\(schema)\"")
        }
        let isThere = try connection.script(
            "SELECT 1 FROM pg_tables WHERE schemaname = '\(schema)' AND tablename = 'schema_version'")
        if isThere.isEmpty {
            try connection.script(
                """
                CREATE TABLE schema_version (
                    version BIGINT PRIMARY KEY,
                    name TEXT NOT NULL,
                    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
                )
                """)
        }
    }

    private func appliedSteps(on connection: Connection, _ place: String) throws(StoreOpeningError) -> Int {
        let applied: [String]
        do throws(Connection.ScriptFailure) {
            applied = try connection.script("SELECT name FROM schema_version ORDER BY version")
        } catch {
            throw .foreign(path: place, detail: error.message)
        }
        guard applied.count <= steps.count else {
            throw .newer(path: place, found: applied.count, known: steps.count)
        }
        for (step, name) in zip(steps, applied) where step.name != name {
            throw .foreign(path: place, detail: "it holds \(name) where \(step.name) belongs")
        }
        return applied.count
    }
}
