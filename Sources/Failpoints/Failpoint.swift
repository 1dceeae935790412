// Named points at which a test kills or stops a process, and deliberate faults by which tests prove that they would be noticed.
//
// In debug builds only; a release build passes all of it by. Owns: the points' names and what happens there. Must not know: who
// passes them. Start reading at `Failpoint.reach`.

import Glibc

/// A moment in the life of a request at its callee.
///
/// A debug build takes the folder in `COUNTERSIGN_FAILPOINTS`. When a request reaches a point, and the folder has a file
/// `<point>.<method>` (`before-commit.Settle`), that file is taken away, so that one request in one process meets it, and its word is
/// done: `kill` ends the process as SIGKILL does, `stop` stops it until SIGCONT. `<point>.<method>.reached` then holds the process's id.
package enum Failpoint: String, Sendable {
    /// Before the handler has done anything.
    case afterReceive = "after-receive"
    /// The effect is made in a transaction that is not committed.
    case beforeCommit = "before-commit"
    /// The effect is on disk, and nobody has been told.
    case afterCommit = "after-commit-before-reply"
    /// The reply has been sent.
    case afterReply = "after-reply"

    /// The method whose handler runs; empty outside of handlers, and in a release build.
    #if DEBUG
    @TaskLocal package static var method = ""
    #else
    package static var method: String { "" }
    #endif

    /// Runs a handler with its method's name, past the first point.
    package static func passing<Result>(_ method: String, _ body: () async throws -> Result) async throws -> Result {
        #if DEBUG
        return try await $method.withValue(method) {
            afterReceive.reach(method)
            return try await body()
        }
        #else
        return try await body()
        #endif
    }

    package func reach(_ method: String) {
        #if DEBUG
        guard let folder = Self.folder, !method.isEmpty else { return }
        let file = "\(folder)/\(rawValue).\(method)"
        let word = Self.read(file)
        // Of several that come at once, the one that takes the file away is meant.
        guard !word.isEmpty, unlink(file) == 0 else { return }
        // What was sent before is on its way by then.
        if self == .afterReply { usleep(50_000) }
        Self.write("\(getpid())", to: file + ".reached")
        // To this thread: sent to the process it may be another that takes it, while this one goes on for a moment.
        raise(word == "stop" ? SIGSTOP : SIGKILL)
        #endif
    }
}

/// A line of the code that is broken on purpose while `COUNTERSIGN_FAILPOINTS` has a file `mutation.<name>`. In debug builds only.
package enum Mutation: String, Sendable {
    /// A sign-in that has been redeemed is redeemed again.
    case redeemAgain = "redeem-again"
    /// A request that has had its effect is executed again.
    case executeAgain = "execute-again"
    /// Writers are told of success before the commit, which comes a little later.
    case replyBeforeCommit = "reply-before-commit"

    package var isMade: Bool {
        #if DEBUG
        guard let folder = Failpoint.folder else { return false }
        return access("\(folder)/mutation.\(rawValue)", F_OK) == 0
        #else
        return false
        #endif
    }
}

#if DEBUG
extension Failpoint {
    fileprivate static let folder = getenv("COUNTERSIGN_FAILPOINTS").map { String(cString: $0) }

    private static func read(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private static func write(_ text: String, to path: String) {
        // Complete or not there, so that whoever waits for it can read it.
        let file = open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        _ = Glibc.write(file, text, text.utf8.count)
        close(file)
        rename(path + ".part", path)
    }
}
#endif
