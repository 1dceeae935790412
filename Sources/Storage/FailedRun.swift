package import Domain

/// One run of a transaction that the database server ended, or whose connection did, as metrics and logs see it. It holds no value that a
/// statement was given.
package struct FailedRun: Hashable, Sendable {
    /// Why, as metrics count it.
    package enum Cause: String, CaseIterable, Sendable {
        /// Another transaction came between.
        case serialization
        case deadlock
        /// A statement or a lock took too long.
        case timeout
        /// There is no connection, or it is lost.
        case connection
        /// The server is not the primary any more.
        case readOnly = "read_only"
        case constraint
        /// Disk, memory or connections of the server are used up.
        case resources
        case other
    }

    package enum Consequence: String, CaseIterable, Sendable {
        /// The transaction is run once more.
        case rerun
        /// As would be, but it has been often or long enough.
        case exhausted
        /// Another run would not end better, or may not be: whoever asked is told.
        case refused
    }

    package var cause: Cause
    package var consequence: Consequence
    /// Five characters (PostgreSQL documentation, "PostgreSQL Error Codes"); nil when the server said nothing.
    package var sqlState: String?
    /// The text of the statement that failed, with its placeholders; nil when it was none.
    package var statement: String?
    /// The text of the transaction's first statement: what tells it from others when it fails at its commit.
    package var firstStatement: String?
    /// Why there is no connection, in a sentence.
    package var detail: String?
    /// How often the transaction was run by now, 1 at least.
    package var runs: Int
    package var origin: TransactionOrigin?

    package init(
        cause: Cause, consequence: Consequence, sqlState: String? = nil, statement: String? = nil,
        firstStatement: String? = nil, detail: String? = nil, runs: Int = 1, origin: TransactionOrigin? = nil
    ) {
        self.cause = cause
        self.consequence = consequence
        self.sqlState = sqlState
        self.statement = statement
        self.firstStatement = firstStatement
        self.detail = detail
        self.runs = runs
        self.origin = origin
    }
}

/// The request that a transaction serves. Work that no request asked for has none.
package struct TransactionOrigin: Hashable, Sendable {
    /// That of the handler that runs.
    @TaskLocal package static var current: TransactionOrigin?

    package let method: String
    package let requestID: RequestID

    package init(method: String, requestID: RequestID) {
        self.method = method
        self.requestID = requestID
    }
}
