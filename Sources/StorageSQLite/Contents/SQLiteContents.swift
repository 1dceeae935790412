import Foundation
import GRDB
package import Storage

/// All that a service keeps in its SQLite file, table by table, for moving it to another store. While it exists, no process of the
/// service can open the file.
package final class SQLiteContents {
    private let queue: DatabaseQueue
    private let ownership: StoreOwnership

    /// Opens a file that is there and brings its schema up to date, as the service itself would. Throws `StoreOpeningError` and
    /// `StoreCopyError`.
    package init(path: String, of service: StoredService) throws {
        guard FileManager.default.fileExists(atPath: path) else { throw StoreCopyError.missing(path: path) }
        ownership = try StoreOwnership(path: path)
        do {
            queue = try DatabaseQueue(path: path)
            try queue.writeWithoutTransaction { try Self.migrations(of: service).apply(to: $0, path: path) }
        } catch let error as DatabaseError {
            throw StoreOpeningError(error, path: path)
        }
    }

    private static func migrations(of service: StoredService) -> SQLiteMigrations {
        switch service {
        case .policy: SQLitePolicyRecords.migrations
        case .registration: SQLiteRegistrationRecords.migrations
        case .challenge: SQLiteChallengeRecords.migrations
        case .verifier: SQLiteVerifierRecords.migrations
        case .notifier: SQLiteNotifierRecords.migrations
        }
    }

    /// The tables in the order in which they were made, so that a row's parent is in an earlier one. Throws `StorageError`.
    package func tables() throws -> [StoredTable] {
        try reading { database in
            let names = try String.fetchAll(
                database,
                sql: """
                    SELECT name FROM sqlite_schema
                    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'schema_version' ORDER BY rowid
                    """)
            return try names.map { name in
                StoredTable(
                    name: name, columns: try database.columns(in: name).map(\.name),
                    key: try database.primaryKey(name).columns,
                    lastNumber: try Int64.fetchOne(
                        database, sql: "SELECT seq FROM sqlite_sequence WHERE name = ?", arguments: [name]))
            }
        }
    }

    /// Gives every row to `body`, its values in the order of the table's columns. Throws `StorageError` and what `body` throws.
    package func forEachRow(of table: StoredTable, _ body: ([StoredValue]) throws -> Void) throws {
        let columns = table.columns.map { "\"\($0)\"" }.joined(separator: ", ")
        let key = table.key.map { "\"\($0)\"" }.joined(separator: ", ")
        try reading { database in
            let rows = try Row.fetchCursor(database, sql: "SELECT \(columns) FROM \"\(table.name)\" ORDER BY \(key)")
            while let row = try rows.next() { try body(try row.databaseValues.map(Self.value)) }
        }
    }

    private func reading<Result>(_ body: (Database) throws -> Result) throws -> Result {
        do {
            return try queue.read(body)
        } catch let error as DatabaseError {
            throw StorageError(error)
        }
    }

    private static func value(_ value: DatabaseValue) throws -> StoredValue {
        switch value.storage {
        case .null: .null
        case .int64(let number): .integer(number)
        case .string(let text): .text(text)
        case .blob(let data): .bytes(Array(data))
        // The tables are STRICT, and none has such a column.
        case .double: throw StorageError.corrupt
        }
    }
}
