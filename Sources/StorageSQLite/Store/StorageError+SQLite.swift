import GRDB
import Storage

extension StorageError {
    /// What a SQLite result code means to callers.
    init(_ error: DatabaseError) {
        switch error.resultCode {
        case .SQLITE_CONSTRAINT: self = .alreadyExists
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_MISMATCH, .SQLITE_SCHEMA: self = .corrupt
        default: self = .unavailable
        }
    }

    /// SQLite's errors in our terms; everything else as it is.
    static func replacing(_ error: any Error) -> any Error { (error as? DatabaseError).map(StorageError.init) ?? error }
}

extension StoreOpeningError {
    /// Why a file does not open.
    init(_ error: DatabaseError, path: String) {
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT: self = .foreign(path: path, detail: error.message ?? "damaged")
        default: self = .inaccessible(path: path, detail: error.message ?? "\(error.resultCode)")
        }
    }
}
