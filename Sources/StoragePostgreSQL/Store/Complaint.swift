import Storage

/// What the server, or libpq in its place, said against a transaction: no value, only names.
struct Complaint {
    var sqlState: String?
    var statement: String?
    var firstStatement: String?
    var detail: String?
}

extension FailedRun {
    /// Characters of a statement that tell enough of it.
    private static let statementMax = 200

    init(
        _ complaint: Complaint?, consequence: Consequence, runs: Int, origin: TransactionOrigin?
    ) {
        func oneLine(_ sql: String) -> String {
            String(sql.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(Self.statementMax))
        }
        self.init(
            cause: complaint.map { Cause(sqlState: $0.sqlState) } ?? .other, consequence: consequence,
            sqlState: complaint?.sqlState, statement: complaint?.statement.map(oneLine),
            firstStatement: complaint?.firstStatement.map(oneLine), detail: complaint?.detail, runs: runs,
            origin: origin)
    }
}

extension FailedRun.Cause {
    /// By SQLSTATE (PostgreSQL documentation, "PostgreSQL Error Codes"); nil is a server that is silent.
    init(sqlState: String?) {
        switch sqlState {
        // serialization_failure
        case "40001": self = .serialization
        // deadlock_detected
        case "40P01": self = .deadlock
        // query_canceled, lock_not_available, idle_in_transaction_session_timeout
        case "57014", "55P03", "25P03": self = .timeout
        // read_only_sql_transaction
        case "25006": self = .readOnly
        case nil: self = .connection
        // connection_exception; operator_intervention, as admin_shutdown
        case let state? where state.hasPrefix("08") || state.hasPrefix("57P"): self = .connection
        case let state? where state.hasPrefix("23"): self = .constraint
        case let state? where state.hasPrefix("53"): self = .resources
        default: self = .other
        }
    }
}
