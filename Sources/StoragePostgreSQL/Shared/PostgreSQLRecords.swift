import Storage

/// A service's records in one transaction, and what every service does with its connection.
protocol PostgreSQLRecords: SendableMetatype {
    /// The steps that make the service's tables.
    static var migrations: PostgreSQLMigrations { get }
    /// How transactions that write are kept apart; unless it says otherwise, `write`.
    static var writeMode: Connection.Mode { get }
    var connection: Connection { get }
    init(connection: Connection)
}

extension PostgreSQLRecords {
    static var writeMode: Connection.Mode { .write }

    typealias Values = [(any ColumnValue)?]

    func rows(_ sql: String, _ values: Values) throws -> [Row] { try connection.run(sql, values).rows }
    func row(_ sql: String, _ values: Values) throws -> Row? { try connection.run(sql, values).first }

    /// Runs a statement and returns how many rows it changed.
    func change(_ sql: String, _ values: Values) throws -> Int { try connection.run(sql, values).changed }

    /// Runs a statement of whose effect nobody asks: it travels with the next one, and so does what is wrong with it.
    func add(_ sql: String, _ values: Values) throws { try connection.add(sql, values) }

    /// As `change`; throws `notFound` when no row was changed.
    func changeOne(_ sql: String, _ values: Values) throws {
        guard try change(sql, values) == 1 else { throw StorageError.notFound }
    }

    /// An INSERT; throws `alreadyExists` when a row is in its way. The transaction goes on in any case: after an error of the server
    /// it could not.
    func insert(_ sql: String, _ values: Values) throws {
        guard try change(sql + " ON CONFLICT DO NOTHING", values) == 1 else { throw StorageError.alreadyExists }
    }
}

/// What a row must satisfy, all of it, as a query is put together.
struct Conditions {
    private var clauses: [String]
    private(set) var values: [(any ColumnValue)?]

    init(_ clause: String, _ values: [(any ColumnValue)?]) {
        clauses = [clause]
        self.values = values
    }

    mutating func add(_ clause: String, _ values: [(any ColumnValue)?]) {
        clauses.append(clause)
        self.values += values
    }

    /// What follows WHERE.
    var text: String { clauses.joined(separator: " AND ") }
}
