package import Storage

/// A table that `PostgreSQLContents` has taken for itself and found empty: its statements, and how its values travel.
package struct EmptyTable {
    /// The types of our columns, by the server's names (pg_type.typname).
    enum ColumnType: String {
        case int8, bool, text, bytea
    }

    package let service: StoredService
    package let table: StoredTable
    /// In the order of the table's columns.
    let types: [ColumnType]

    /// For people.
    package var name: String { "\(service.rawValue).\(table.name)" }
    /// For statements. Names are this program's own.
    var path: String { "\"\(service.rawValue)\".\"\(table.name)\"" }
    var cursor: String { "rows_of_\(service.rawValue)_\(table.name)" }

    var insertStatement: String {
        let places = table.columns.map { _ in "?" }.joined(separator: ", ")
        // Where rows are numbered by the server, they keep the numbers that they have.
        return "INSERT INTO \(path) (\(Self.list(table.columns))) OVERRIDING SYSTEM VALUE VALUES (\(places))"
    }

    var selectStatement: String {
        "SELECT \(Self.list(table.columns)) FROM \(path) ORDER BY \(Self.list(table.key))"
    }

    private static func list(_ columns: [String]) -> String { columns.map { "\"\($0)\"" }.joined(separator: ", ") }

    func columnValues(_ values: [StoredValue]) throws -> [(any ColumnValue)?] {
        try zip(values, types).map { value, type -> (any ColumnValue)? in
            switch (value, type) {
            case (.null, _): return nil
            case (.integer(let number), .int8): return number
            case (.integer(let number), .bool) where number == 0 || number == 1: return number == 1
            case (.text(let text), .text): return text
            case (.bytes(let bytes), .bytea): return bytes
            default: throw StoreCopyError.otherShape(table: name)
            }
        }
    }

    func storedValues(_ row: Row) throws -> [StoredValue] {
        try zip(table.columns, types).map { column, type in
            switch type {
            case .int8: try row.optional(column).map(StoredValue.integer) ?? .null
            case .bool: try row.optional(column).map { (value: Bool) in .integer(value ? 1 : 0) } ?? .null
            case .text: try row.optional(column).map(StoredValue.text) ?? .null
            case .bytea: try row.optional(column).map(StoredValue.bytes) ?? .null
            }
        }
    }
}
