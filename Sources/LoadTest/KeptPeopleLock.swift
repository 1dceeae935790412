import Foundation

/// Another run, or a removal, has the kept people now.
package struct PeopleInUse: Error, Equatable, CustomStringConvertible {
    let path: String
    package var description: String { "\(path): another run uses these people; try again when it has ended" }
}

/// The right to a file of kept people, whose sign-ins two runs would take from each other: a lock (flock) on a file beside it, because the
/// file itself is replaced. The system gives it up when the process ends, however that is.
final class KeptPeopleLock {
    private let path: String
    private let file: Int32

    /// Throws `PeopleInUse`, or `ScenarioError` where the file beside cannot be made.
    init(of people: String) throws {
        path = people + ".lock"
        file = try Self.locked(path, of: people)
    }

    private static func locked(_ path: String, of people: String) throws -> Int32 {
        while true {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard file >= 0 else { throw ScenarioError("\(path) cannot be made: \(String(cString: strerror(errno)))") }
            guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
                let (isHeld, reason) = (errno == EWOULDBLOCK, String(cString: strerror(errno)))
                close(file)
                if isHeld { throw PeopleInUse(path: people) }
                throw ScenarioError("\(path) cannot be locked: \(reason)")
            }
            // Whoever had it may have taken the file away in between: then the lock is on one that nobody else finds.
            if isStill(file, at: path) { return file }
            close(file)
        }
    }

    /// While the lock is still held, so that nobody finds the file unlocked and about to go.
    func release() {
        unlink(path)
        close(file)
    }

    private static func isStill(_ file: Int32, at path: String) -> Bool {
        var (own, found) = (stat(), stat())
        return fstat(file, &own) == 0 && lstat(path, &found) == 0 && own.st_ino == found.st_ino
            && own.st_dev == found.st_dev
    }
}
