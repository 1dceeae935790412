package import Domain
import Synchronization

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

/// The request that transactions serve. Work that no request asked for has none.
///
/// It remembers how the last of them failed, so that one line tells how the request ended and why.
package final class TransactionOrigin: Sendable {
    /// That of the handler that runs.
    @TaskLocal package static var current: TransactionOrigin?

    package let method: String
    package let requestID: RequestID
    private let state = Mutex(State())

    private struct State {
        var failedRun: FailedRun?
        var isOver = false
        var workBegan: ContinuousClock.Instant?
    }

    package init(method: String, requestID: RequestID) {
        self.method = method
        self.requestID = requestID
    }

    /// Remembers how one of its transactions failed. Returns false when the request is over: then nobody asks for it any more.
    package func remember(_ run: FailedRun) -> Bool {
        var run = run
        // Or each would keep the other.
        run.origin = nil
        return state.withLock { state in
            if !state.isOver { state.failedRun = run }
            return !state.isOver
        }
    }

    /// A request that has waited, as long as nothing happened, begins its work.
    package func beginWork() { state.withLock { $0.workBegan = .now } }

    /// Nil for one that does nothing but wait, or works from its arrival on.
    package var workBegan: ContinuousClock.Instant? { state.withLock(\.workBegan) }

    /// The request is over: how the last of its transactions failed, nil where none did.
    package func end() -> FailedRun? {
        state.withLock { state in
            state.isOver = true
            return state.failedRun
        }
    }
}

extension TransactionOrigin: Hashable {
    /// Each execution of a request is one of its own.
    package static func == (one: TransactionOrigin, other: TransactionOrigin) -> Bool { one === other }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
