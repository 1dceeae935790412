import CPostgreSQL
import Storage

/// The server's answer to one statement, given back to libpq with its last row.
final class ResultSet {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    // The answer is ours alone since PQgetResult.
    deinit { PQclear(handle) }

    var isAborted: Bool { PQresultStatus(handle) == PGRES_PIPELINE_ABORTED }

    /// Nil for an answer without an error.
    var failure: Failure? {
        switch PQresultStatus(handle) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_PIPELINE_SYNC, PGRES_PIPELINE_ABORTED: return nil
        default:
            // No SQLSTATE: libpq itself speaks, because the server is silent.
            guard let state = sqlState else { return .lost }
            let severity = ErrorField.severity.text(of: handle)
            return severity == "FATAL" || severity == "PANIC" ? .lost : Failure(sqlState: state)
        }
    }

    /// The server's code of an error.
    var sqlState: String? { ErrorField.sqlState.text(of: handle) }

    /// What was done, as in `COMMIT`.
    var command: String { String(cString: PQcmdStatus(handle)) }

    /// Rows that the statement changed.
    var changed: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    var rows: [Row] { (0..<PQntuples(handle)).map { Row(result: self, index: $0) } }

    var first: Row? { PQntuples(handle) > 0 ? Row(result: self, index: 0) : nil }

    /// The bytes of one value, nil for NULL and for a column that is not there. They live as long as the answer.
    fileprivate func bytes(_ row: Int32, _ column: String) -> UnsafeRawBufferPointer? {
        let number = PQfnumber(handle, column)
        guard number >= 0, PQgetisnull(handle, row, number) == 0, let start = PQgetvalue(handle, row, number) else {
            return nil
        }
        return UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(handle, row, number)))
    }
}

/// The parts of an error by libpq's letters, in no language (PostgreSQL documentation, PQresultErrorField).
enum ErrorField: UInt8 {
    case sqlState = 0x43
    case severity = 0x56

    func text(of answer: OpaquePointer?) -> String? {
        PQresultErrorField(answer, Int32(rawValue)).map { String(cString: $0) }
    }
}

/// One row of an answer, by the names of its columns. What does not fit the type that is asked for is `corrupt`.
struct Row {
    let result: ResultSet
    let index: Int32

    subscript<Value: ColumnValue>(_ column: String) -> Value {
        get throws {
            guard let value: Value = try optional(column) else { throw StorageError.corrupt }
            return value
        }
    }

    func optional<Value: ColumnValue>(_ column: String) throws -> Value? {
        try withExtendedLifetime(result) {
            guard let bytes = result.bytes(index, column) else { return nil }
            guard let value = Value(column: bytes) else { throw StorageError.corrupt }
            return value
        }
    }
}
