package import GRDB

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

    func rows(_ sql: String, _ arguments: StatementArguments) throws -> [Row] {
        try Row.fetchAll(try statement(sql), arguments: arguments, adapter: Row.namesInTable)
    }

    func row(_ sql: String, _ arguments: StatementArguments) throws -> Row? {
        try Row.fetchOne(try statement(sql), arguments: arguments, adapter: Row.namesInTable)
    }

    func execute(_ sql: String, _ arguments: StatementArguments) throws {
        try statement(sql).execute(arguments: arguments)
    }
}
