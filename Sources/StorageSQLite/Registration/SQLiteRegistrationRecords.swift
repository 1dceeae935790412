import Domain
import Foundation
package import GRDB
package import Storage

/// The registration service's records in one SQLite transaction.
package struct SQLiteRegistrationRecords: RegistrationRecords, SQLiteMemoRecords, SQLiteAuditRecords {
    package let database: Database

    package init(_ database: Database) { self.database = database }

    package static let migrations = SQLiteMigrations([
        .memo, .audit, SQLiteMigration("registration-0001", PackageResources.registration_0001_sql),
        SQLiteMigration("registration-0002", PackageResources.registration_0002_sql),
    ])

    func rows(_ sql: String, _ arguments: StatementArguments) throws -> [Row] {
        try Row.fetchAll(database.cachedStatement(sql: sql), arguments: arguments, adapter: Row.namesInTable)
    }

    func row(_ sql: String, _ arguments: StatementArguments) throws -> Row? {
        try Row.fetchOne(database.cachedStatement(sql: sql), arguments: arguments, adapter: Row.namesInTable)
    }

    /// Runs a statement and returns how many rows it changed. A broken uniqueness is `alreadyExists`.
    @discardableResult
    func change(_ sql: String, _ arguments: StatementArguments) throws -> Int {
        do {
            try database.cachedStatement(sql: sql).execute(arguments: arguments)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw StorageError.alreadyExists
        }
        return database.changesCount
    }

    /// As `change`; throws `notFound` when no row was changed.
    func changeOne(_ sql: String, _ arguments: StatementArguments) throws {
        guard try change(sql, arguments) == 1 else { throw StorageError.notFound }
    }
}

/// Lists travel as one JSON argument, so that a statement's text does not depend on their length.
enum SQLiteList {
    static func json(_ texts: some Sequence<String>) -> String {
        JSONValue.array(texts.map(JSONValue.string)).canonicalText
    }

    static func texts(_ json: String) throws -> [String] {
        guard let value = try? JSONValue(parsing: Array(json.utf8)), let elements = value.elements else {
            throw StorageError.corrupt
        }
        return try elements.map {
            guard let text = $0.text else { throw StorageError.corrupt }
            return text
        }
    }
}

extension SQLiteStore where Records == any RegistrationRecords {
    /// Opens the registration service's database, and makes it when there is none.
    package static func registration(
        path: String, limits: SQLiteLimits = SQLiteLimits(),
        onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }
    ) throws(StoreOpeningError) -> SQLiteStore<any RegistrationRecords> {
        try SQLiteStore(
            path: path, migrations: SQLiteRegistrationRecords.migrations, limits: limits, onCommit: onCommit
        ) { SQLiteRegistrationRecords($0) }
    }
}
