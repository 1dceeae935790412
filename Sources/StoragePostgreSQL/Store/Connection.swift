import CPostgreSQL
import Storage

/// One connection and the transaction that runs on it. It belongs to one thread.
///
/// Libpq's pipeline mode (PostgreSQL documentation, "Pipeline Mode") lets statements be sent without waiting for the answers to those
/// before: BEGIN travels with the first statement, what has no result with the next that has one, COMMIT with the last. After an
/// error the server skips everything up to the next synchronisation, COMMIT included; the error is met at the next answer that is
/// read, and stays `failure` until the transaction has been rolled back.
final class Connection {
    enum Mode: String {
        /// What a body read still holds when it is committed.
        case write = "BEGIN ISOLATION LEVEL SERIALIZABLE"
        /// What a body wrote has been written by nobody else since it began; what it only read may have changed.
        case writeOnSnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ"
        case read = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    }

    private enum Awaited {
        case preparation(of: String)
        case answer(to: String)
        /// Of the COMMIT of a reading, which has all that it asked for.
        case end
        case synchronisation

        /// The statement's text.
        var statement: String? {
            switch self {
            case .preparation(let sql), .answer(let sql): sql
            case .end, .synchronisation: nil
            }
        }
    }

    let handle: OpaquePointer
    /// The server's names of statements by their text. The texts are this program's own, so there are only so many.
    private var prepared: [String: String] = [:]
    private var preparations = 0
    /// What the server still owes an answer to, oldest first.
    private var awaited: [Awaited] = []
    private var mode: Mode?
    private var hasBegun = false
    private(set) var failure: Failure?
    /// What was said of the failure of the transaction that runs, or ran last.
    private(set) var complaint: Complaint?
    private var firstStatement: String?

    /// Takes over an open connection of libpq's.
    init(_ handle: OpaquePointer) { self.handle = handle }

    // Nobody else has the handle. An open transaction ends with it.
    deinit { PQfinish(handle) }

    /// Whether it is of no use any more.
    private(set) var isLost = false

    /// Whether the server has not hung up. The first look may only find its farewell, and the second its end.
    var isAlive: Bool {
        for _ in 0..<2 where PQconsumeInput(handle) == 0 || PQstatus(handle) != CONNECTION_OK { return false }
        return !isLost
    }

    // MARK: transactions

    func begin(_ mode: Mode) {
        (complaint, firstStatement) = (nil, nil)
        if PQpipelineStatus(handle) == PQ_PIPELINE_OFF, PQenterPipelineMode(handle) == 0 { lose() }
        self.mode = mode
        hasBegun = false
    }

    /// Returns when the transaction is on disk, of a reading at once. Throws `Failure`: `refused(.unknown)` when nobody can say whether
    /// it is.
    func commit() throws(Failure) {
        if let failure { try fail(failure) }
        guard hasBegun else { return }
        if mode == .read, awaited.isEmpty {
            // What comes of it is read with the next transaction's first answer.
            send("COMMIT", [], .end)
            synchronise()
            hasBegun = false
            return
        }
        send("COMMIT", [])
        synchronise()
        let answer = receive()
        if let failure {
            // The server answers in order: were an earlier statement to blame, its error would have come first.
            if failure == .lost { throw Failure.refused(.unknown) }
            try fail(failure)
        }
        hasBegun = false
        // A transaction that had failed unnoticed ends as ROLLBACK.
        guard answer?.command == "COMMIT" else { throw Failure.refused(.unavailable) }
    }

    private func fail(_ failure: Failure) throws(Failure) -> Never {
        rollBack()
        throw failure
    }

    func rollBack() {
        defer { (hasBegun, failure) = (false, nil) }
        guard hasBegun, !isLost else { return }
        // The first ends what an error made the server skip.
        synchronise()
        send("ROLLBACK", [])
        synchronise()
        failure = nil
        receive()
        if awaited.isEmpty, PQtransactionStatus(handle) == PQTRANS_IDLE { return }
        lose()
    }

    // MARK: statements

    /// Runs a statement whose placeholders are `?`, and waits for its answer. Throws `StorageError` or, for what is not the body's to
    /// see, `Failure`.
    func run(_ sql: String, _ values: [(any ColumnValue)?] = []) throws -> ResultSet {
        try add(sql, values)
        // Only a server that is idle, not one in the middle of a pipeline, ends a transaction whose client stands still
        // (`idle_in_transaction_session_timeout`). Between BEGIN and COMMIT this commits nothing.
        synchronise()
        let answer = receive()
        if let failure { throw failure.error }
        guard let answer else { throw Failure.lost }
        return answer
    }

    /// Adds a statement that is sent with the next; whatever is wrong with it is thrown there, or by the commit.
    func add(_ sql: String, _ values: [(any ColumnValue)?] = []) throws {
        if let failure { throw failure.error }
        if !hasBegun, let mode {
            hasBegun = true
            firstStatement = sql
            send(mode.rawValue, [])
        }
        send(sql, values)
    }

    private func send(_ sql: String, _ values: [(any ColumnValue)?], _ kind: Awaited? = nil) {
        let name = prepared[sql] ?? prepare(sql)
        let isSent = Parameters(values).withPointers {
            PQsendQueryPrepared(handle, name, $0, $1, $2, $3, 1)
        }
        if isSent == 0 { lose() } else { awaited.append(kind ?? .answer(to: sql)) }
    }

    private func prepare(_ sql: String) -> String {
        preparations += 1
        let name = "s\(preparations)"
        prepared[sql] = name
        if PQsendPrepare(handle, name, Placeholders.numbered(sql), 0, nil) == 0 {
            lose()
        } else {
            awaited.append(.preparation(of: sql))
        }
        return name
    }

    private func synchronise() {
        if PQpipelineSync(handle) == 0 { lose() } else { awaited.append(.synchronisation) }
    }

    // MARK: answers

    /// Reads every answer that is owed and returns that of the last statement.
    @discardableResult
    private func receive() -> ResultSet? {
        var last: ResultSet?
        for next in awaited {
            guard !isLost, let handle = PQgetResult(handle) else {
                lose()
                break
            }
            let answer = ResultSet(handle)
            if case .end = next {
                endAnswer()
                continue
            }
            if let found = answer.failure { note(found, answer.sqlState, of: next.statement) }
            switch next {
            case .preparation(let sql):
                // What the server did not prepare is prepared again at its next use.
                if answer.isAborted || answer.failure != nil { prepared[sql] = nil }
                endAnswer()
            case .answer:
                last = answer
                endAnswer()
            case .end, .synchronisation: break
            }
        }
        awaited = []
        return last
    }

    /// Each answer but a synchronisation's ends with an empty one.
    private func endAnswer() {
        while PQstatus(handle) == CONNECTION_OK, let more = PQgetResult(handle) { PQclear(more) }
        if PQstatus(handle) != CONNECTION_OK { lose() }
    }

    private func note(_ found: Failure, _ sqlState: String? = nil, of statement: String? = nil) {
        if found == .lost || found == .demoted { isLost = true }
        failure = failure ?? found
        complaint =
            complaint ?? Complaint(sqlState: sqlState, statement: statement, firstStatement: firstStatement)
    }

    private func lose() { note(.lost) }
}

/// Statements are written with `?`; the server counts its placeholders.
enum Placeholders {
    static func numbered(_ sql: String) -> String {
        var (text, count) = ("", 0)
        for part in sql.split(separator: "?", omittingEmptySubsequences: false) {
            if count > 0 { text += "$\(count)" }
            text += part
            count += 1
        }
        return text
    }
}
