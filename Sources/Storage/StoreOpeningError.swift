/// Why a store does not open. Every sentence is for the operator who starts the process, and safe to log.
package enum StoreOpeningError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process owns the database: a store has one owner.
    case owned(path: String)
    /// A later build has written it; this one must not touch it.
    case newer(path: String, found: Int, known: Int)
    /// Its history is not this service's, or it is no database.
    case foreign(path: String, detail: String)
    /// The file system refuses, with its reason.
    case inaccessible(path: String, detail: String)

    package var description: String {
        switch self {
        case .owned(let path): "\(path) is in use by another process"
        case .newer(let path, let found, let known):
            "\(path) is at schema \(found), which is newer than \(known), the newest of this build"
        case .foreign(let path, let detail): "\(path) is not a database of this service: \(detail)"
        case .inaccessible(let path, let detail): "\(path) cannot be opened: \(detail)"
        }
    }
}

/// One commit as the metrics see it.
package struct CommitReport: Hashable, Sendable {
    /// Writes that shared the commit.
    package let writes: Int
    /// From the begin of the transaction to its end on disk.
    package let duration: Duration
    package let isCommitted: Bool

    package init(writes: Int, duration: Duration, isCommitted: Bool) {
        self.writes = writes
        self.duration = duration
        self.isCommitted = isCommitted
    }
}
