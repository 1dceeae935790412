import GRDB

/// What a row must satisfy, all of it, as a query is put together.
struct Conditions {
    private var clauses: [String]
    private(set) var arguments: StatementArguments

    init(_ clause: String, _ arguments: StatementArguments) {
        clauses = [clause]
        self.arguments = arguments
    }

    mutating func add(_ clause: String, _ arguments: StatementArguments) {
        clauses.append(clause)
        self.arguments += arguments
    }

    /// What follows WHERE.
    var text: String { clauses.joined(separator: " AND ") }
}
