// Moves an installation from SQLite files to a PostgreSQL database.
//
// Owns: the order of things, which is everything closed to others, everything empty, everything written and read back, then one commit.
// Must not know: what a record means. Start reading at `StoreCopy.run`.

import Foundation
import Secrets
package import Storage
import StoragePostgreSQL
import StorageSQLite

/// One move of all services' records. Sealed values stay sealed as they are: the key files are needed as before.
package struct StoreCopy {
    /// What was moved of one table.
    package struct Moved: Sendable, Hashable, Encodable {
        package let service: String
        package let table: String
        package let rows: Int
        /// SHA-256 in hexadecimal, chained over all rows in the order of the key, as they were read back.
        package let digest: String
    }

    private let folder: String
    private let database: PostgreSQLConfiguration

    /// `folder` holds `<service>/<service>.sqlite` for each service; `database.schema` is not looked at.
    package init(from folder: String, to database: PostgreSQLConfiguration) {
        self.folder = folder
        self.database = database
    }

    /// Blocks until all is on disk, or nothing is. Throws `StoreOpeningError`, `StoreCopyError` and `StorageError`.
    package func run() throws -> [Moved] {
        let sources = try StoredService.allCases.map { service in
            (
                service,
                try SQLiteContents(path: "\(folder)/\(service.rawValue)/\(service.rawValue).sqlite", of: service)
            )
        }
        let target = try PostgreSQLContents(database)
        // All are looked at before the first is written to.
        let tables = try sources.flatMap { service, source in
            try source.tables().map { (source, try target.claim($0, of: service)) }
        }
        let moved = try tables.map { source, table in try Self.move(table, from: source, to: target) }
        try target.commit()
        return moved
    }

    private static func move(
        _ table: EmptyTable, from source: SQLiteContents, to target: PostgreSQLContents
    ) throws -> Moved {
        let written = try target.fill(table) { try source.forEachRow(of: table.table, $0) }
        // Both stores give rows in the same order, so that the first place where they part has a number.
        let next = try target.rows(of: table)
        var (count, digest) = (0, [UInt8]())
        try source.forEachRow(of: table.table) { row in
            count += 1
            guard let copy = try next(), copy == row else {
                throw StoreCopyError.differs(table: table.name, row: count)
            }
            for value in copy { value.append(to: &digest) }
            digest = sha256(digest)
        }
        guard try next() == nil, count == written else {
            throw StoreCopyError.differs(table: table.name, row: count + 1)
        }
        return Moved(
            service: table.service.rawValue, table: table.table.name, rows: count,
            digest: digest.map { String(format: "%02x", $0) }.joined())
    }
}
