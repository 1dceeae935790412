package import Storage

/// The schemas of all services in one database while an installation is moved into them: one transaction from the first look to the
/// last, so that nothing is there before everything is.
package final class PostgreSQLContents {
    /// Rows that are sent before the server is asked how it took them.
    private static let batch = 256
    /// Tables that hold a row from the beginning.
    private static let filledByMigration: Set<String> = ["revision"]

    private let connection: Connection

    /// Connects, makes or brings up to date the schema of each service, and shuts everybody else out of them. Throws
    /// `StoreOpeningError` and `StoreCopyError`.
    package init(_ configuration: PostgreSQLConfiguration) throws {
        for service in StoredService.allCases {
            var own = configuration
            own.schema = service.rawValue
            try Self.migrations(of: service).apply(on: try Connection(own), own)
        }
        connection = try Connection(configuration)
        try Self.translating {
            connection.begin(.write)
            // An installation takes longer than a request may.
            for name in ["statement_timeout", "idle_in_transaction_session_timeout"] {
                try connection.add("SET LOCAL \(name) TO 0")
            }
            try requireAlone()
        }
    }

    private static func migrations(of service: StoredService) -> PostgreSQLMigrations {
        switch service {
        case .policy: PostgreSQLPolicyRecords.migrations
        case .registration: PostgreSQLRegistrationRecords.migrations
        case .challenge: PostgreSQLChallengeRecords.migrations
        case .verifier: PostgreSQLVerifierRecords.migrations
        case .notifier: PostgreSQLNotifierRecords.migrations
        }
    }

    /// By the names that processes give themselves, which are seen of sessions of the same role. Those of other roles run into the locks.
    private func requireAlone() throws {
        let names = StoredService.allCases.map { "countersign-\($0.rawValue)" }
        let found = try connection.run(
            """
            SELECT DISTINCT application_name FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = ANY(?) ORDER BY application_name
            """, [TextArray(names)])
        let others: [String] = try found.rows.map { try $0["application_name"] }
        guard others.isEmpty else { throw StoreCopyError.inUse(others) }
    }

    /// Takes a table for this transaction alone. It must have the same columns, and no row but those that it was made with.
    package func claim(_ table: StoredTable, of service: StoredService) throws -> EmptyTable {
        let columns = try Self.translating { () throws -> [String: EmptyTable.ColumnType] in
            let found = try connection.run(
                "SELECT column_name::text, udt_name::text FROM information_schema.columns WHERE table_schema = ? AND table_name = ?",
                [service.rawValue, table.name])
            var columns: [String: EmptyTable.ColumnType] = [:]
            for row in found.rows {
                columns[try row["column_name"]] = EmptyTable.ColumnType(rawValue: try row["udt_name"])
            }
            return columns
        }
        let claimed = EmptyTable(service: service, table: table, types: table.columns.compactMap { columns[$0] })
        guard claimed.types.count == table.columns.count, columns.count == table.columns.count else {
            throw StoreCopyError.otherShape(table: claimed.name)
        }
        try Self.translating {
            try connection.add("LOCK TABLE \(claimed.path) IN ACCESS EXCLUSIVE MODE")
            if Self.filledByMigration.contains(table.name) { try connection.add("DELETE FROM \(claimed.path)") }
            guard try connection.run("SELECT 1 AS one FROM \(claimed.path) LIMIT 1").rows.isEmpty else {
                throw StoreCopyError.notEmpty(table: claimed.name)
            }
        }
        return claimed
    }

    /// Writes what `source` gives to its argument, row by row. Returns how many there were. Throws what `source` throws, and
    /// `StoreCopyError`.
    package func fill(_ table: EmptyTable, _ source: (([StoredValue]) throws -> Void) throws -> Void) throws -> Int {
        var count = 0
        let insert = table.insertStatement
        func note<Result>(_ body: () throws -> Result) throws -> Result {
            try Self.translating(
                { .refused(table: table.name, row: count, $0) }, body)
        }
        try source { values in
            count += 1
            let row = try table.columnValues(values)
            try note {
                // The answer to one tells of all before it.
                if count.isMultiple(of: Self.batch) {
                    _ = try connection.run(insert, row)
                } else {
                    try connection.add(insert, row)
                }
            }
        }
        try note { _ = try connection.run("SELECT 1 AS one") }
        if let number = table.table.lastNumber, number > 0, let column = table.table.key.first {
            try note {
                _ = try connection.run(
                    "SELECT setval(pg_get_serial_sequence(?, ?), ?) AS number", [table.path, column, number])
            }
        }
        return count
    }

    /// Reads the rows in the order of the key: each call gives the next one, and nil after the last. Throws `StoreCopyError`.
    package func rows(of table: EmptyTable) throws -> () throws -> [StoredValue]? {
        try Self.translating {
            try connection.add("DECLARE \(table.cursor) NO SCROLL CURSOR FOR \(table.selectStatement)")
        }
        var batch: ArraySlice<Row> = []
        return { [connection] in
            try Self.translating {
                if batch.isEmpty { batch = try connection.run("FETCH \(Self.batch) FROM \(table.cursor)").rows[...] }
                return try batch.popFirst().map(table.storedValues)
            }
        }
    }

    /// Returns when all of it is on disk.
    package func commit() throws {
        try Self.translating({ $0 == .unknown ? .unknown : .connectionLost }, connection.commit)
    }

    /// A connection's failures in the words of a copy; everything else as it is.
    private static func translating<Result>(
        _ meaning: (StorageError) -> StoreCopyError = { _ in .connectionLost }, _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try body()
        } catch Failure.refused(let error) {
            throw meaning(error)
        } catch let error as StorageError {
            throw meaning(error)
        } catch is Failure {
            throw StoreCopyError.connectionLost
        }
    }
}
