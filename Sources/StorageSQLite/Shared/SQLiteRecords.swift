package import GRDB
import Storage

/// A service's records in one transaction, and what every service does with its connection.
package protocol SQLiteRecords: SendableMetatype {
    /// The steps that make the service's tables.
    static var migrations: SQLiteMigrations { get }
    var database: Database { get }
    init(_ database: Database)
}

extension SQLiteRecords {
    /// Compiled once a connection.
    func statement(_ sql: String) throws -> Statement { try database.cachedStatement(sql: sql) }

    /// What `read` makes of each row. A row is the statement's own and no copy: it is gone with the next one, and `read` must not run
    /// another statement.
    func records<Record>(_ sql: String, _ arguments: StatementArguments, _ read: (Row) throws -> Record) throws
        -> [Record]
    {
        let cursor = try Row.fetchCursor(try statement(sql), arguments: arguments)
        var records: [Record] = []
        while let row = try cursor.next() { records.append(try read(row)) }
        return records
    }

    /// What `read` makes of the first row; nil where there is none.
    func record<Record>(_ sql: String, _ arguments: StatementArguments, _ read: (Row) throws -> Record) throws
        -> Record?
    {
        let cursor = try Row.fetchCursor(try statement(sql), arguments: arguments)
        // The row goes with its cursor.
        return try withExtendedLifetime(cursor) { try cursor.next().map(read) }
    }

    /// Of a query for `count` and `oldest`.
    func backlog(_ sql: String) throws -> Backlog {
        let found = try record(sql, []) { Backlog(count: $0["count"], oldest: $0.optionalTime("oldest")) }
        guard let found else { throw StorageError.corrupt }
        return found
    }

    func execute(_ sql: String, _ arguments: StatementArguments) throws {
        try statement(sql).execute(arguments: arguments)
    }
}
