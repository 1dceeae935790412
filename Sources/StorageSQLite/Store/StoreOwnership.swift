import Glibc
import Storage
import Synchronization

/// The right to be a database's one process: an exclusive lock (flock) on the file beside it. SQLite's own locks would also shut out
/// this process's readers, and would not say who is to blame.
final class StoreOwnership: Sendable {
    private let file: Mutex<Int32?>

    init(path: String) throws(StoreOpeningError) {
        let lockPath = path + ".lock"
        let file = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .inaccessible(path: lockPath, detail: String(cString: strerror(errno))) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let isOwned = errno == EWOULDBLOCK
            let detail = String(cString: strerror(errno))
            Glibc.close(file)
            throw isOwned ? .owned(path: path) : .inaccessible(path: lockPath, detail: detail)
        }
        self.file = Mutex(file)
    }

    func release() {
        let open = file.withLock { file -> Int32? in
            defer { file = nil }
            return file
        }
        if let open { Glibc.close(open) }
    }

    deinit { release() }
}
