import CPostgreSQL
import Storage

/// How a transaction failed, as far as the next step depends on it.
enum Failure: Error, Hashable {
    /// Another transaction came between: nothing was applied, and the same body may be run again.
    case overtaken
    /// The connection is gone. Nothing was committed on it, unless the commit was sent.
    case lost
    /// The server may not write any more, because another has become the primary: nothing was applied.
    case demoted
    case refused(StorageError)

    /// What an error of the server means, by its SQLSTATE (PostgreSQL documentation, "PostgreSQL Error Codes").
    init(sqlState: String) {
        switch sqlState {
        // serialization_failure, deadlock_detected
        case "40001", "40P01": self = .overtaken
        // read_only_sql_transaction
        case "25006": self = .demoted
        // statement_completion_unknown
        case "40003": self = .refused(.unknown)
        case "23503": self = .refused(.notFound)
        case _ where sqlState.hasPrefix("08"): self = .lost
        case _ where sqlState.hasPrefix("23"): self = .refused(.alreadyExists)
        // An object is missing, a value is of another form than this build wrote, or the server found damage.
        case _ where sqlState.hasPrefix("42") || sqlState.hasPrefix("22") || sqlState.hasPrefix("XX"):
            self = .refused(.corrupt)
        default: self = .refused(.unavailable)
        }
    }

    /// What a body sees of it.
    var error: any Error {
        if case .refused(let error) = self { return error }
        return self
    }

    /// What whoever asked for the transaction sees of it, when there is not another run.
    var finalError: StorageError {
        if case .refused(let error) = self { return error }
        return .unavailable
    }

    /// Whether the same body may be run again.
    var allowsRerun: Bool {
        if case .refused = self { return false }
        return true
    }
}
