/// The services that keep records; a raw value is also the name of the service's folder, file and schema.
package enum StoredService: String, Sendable, Hashable, CaseIterable {
    case policy, registration, challenge, verifier, notifier
}

/// One table as both kinds of store have it.
package struct StoredTable: Sendable, Hashable {
    package let name: String
    package let columns: [String]
    /// The columns of the primary key: the order in which rows are read.
    package let key: [String]
    /// The highest number that the table ever gave a row; nil where rows get none, or none has.
    package let lastNumber: Int64?

    package init(name: String, columns: [String], key: [String], lastNumber: Int64?) {
        self.name = name
        self.columns = columns
        self.key = key
        self.lastNumber = lastNumber
    }
}

/// A value of one column, in the terms of the narrower store: SQLite has no booleans, so they are 0 and 1.
package enum StoredValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case text(String)
    case bytes([UInt8])

    /// The value with its kind and length before it, so that no two rows have the same bytes.
    package func append(to bytes: inout [UInt8]) {
        func append(_ kind: UInt8, _ content: some Collection<UInt8>) {
            bytes.append(kind)
            withUnsafeBytes(of: UInt64(content.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: content)
        }
        switch self {
        case .null: append(0, [])
        case .integer(let number): withUnsafeBytes(of: number.bigEndian) { append(1, $0) }
        case .text(let text): append(2, text.utf8)
        case .bytes(let content): append(3, content)
        }
    }
}

/// Why a store's contents were not moved. Every sentence is for the operator, and safe to print: it holds no value of a row.
package enum StoreCopyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no such file to read from.
    case missing(path: String)
    /// Processes of these services are connected to the database.
    case inUse([String])
    case notEmpty(table: String)
    /// The two stores do not have the same tables or columns.
    case otherShape(table: String)
    /// The database did not take the row of this number, counted from 1 in the order of the key, or one shortly before it.
    case refused(table: String, row: Int, StorageError)
    /// What was written and read back is not what was read.
    case differs(table: String, row: Int)
    /// The commit may or may not have happened.
    case unknown
    case connectionLost

    package var description: String {
        switch self {
        case .missing(let path): "\(path): no such file"
        case .inUse(let names): "the database is in use by \(names.joined(separator: ", ")); stop these processes first"
        case .notEmpty(let table): "\(table) holds rows already; an installation is copied into an empty database"
        case .otherShape(let table): "\(table) is not the same in both stores"
        case .refused(let table, let row, let error): "\(table): the database did not take row \(row): \(error)"
        case .differs(let table, let row): "\(table): row \(row) is another one when it is read back"
        case .unknown: "the connection was lost during the commit; run the command again to see whether it happened"
        case .connectionLost: "the connection to the database was lost, or the server did not answer in time"
        }
    }
}
