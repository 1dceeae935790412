import Dispatch
import Storage
import Synchronization

/// Sends words to the other processes that listen to the schema: whatever waits when a session is free goes in one transaction.
///
/// Apart from the transactions that the words are about: a commit with NOTIFY in it waits for every other such commit of the whole
/// database (PostgreSQL source, `PreCommit_Notify`), and a word may be lost where a commit may not. When some are, the listeners are told so
/// as soon as anything can be told.
final class Announcer: Sendable {
    /// Words that wait; beyond it the oldest are dropped.
    static let waitingMax = 4_096
    private static let pause = DispatchTimeInterval.milliseconds(500)

    private struct State {
        var words: [String] = []
        var hasLost = false
        var isSending = false
    }

    private let pool: ConnectionPool
    private let channel: String
    /// Tells one's own words from those of others.
    private let name: String
    private let state = Mutex(State())

    init(_ pool: ConnectionPool, channel: String, name: String) {
        self.pool = pool
        self.channel = channel
        self.name = name
    }

    func announce(_ word: String) {
        let isFirst = state.withLock { state in
            if state.words.count >= Self.waitingMax {
                state.words.removeFirst()
                state.hasLost = true
            }
            state.words.append(word)
            defer { state.isSending = true }
            return !state.isSending
        }
        if isFirst { begin() }
    }

    private func begin() {
        // One at a time, so it needs no room among the bodies that wait. When it is not taken the store is closing.
        _ = pool.submit(evenWhenFull: true) { self.send($0) }
    }

    private func send(_ session: Session) {
        while let (words, hasLost) = take() {
            do {
                try session.transact(.write) { connection in
                    try connection.add("SET LOCAL synchronous_commit TO off")
                    let said = (hasLost ? [Announced.loss(by: name)] : []) + words.map { Announced.word($0, by: name) }
                    for text in said { try connection.add("SELECT pg_notify(?, ?)", [channel, text]) }
                }
            } catch {
                state.withLock { $0.hasLost = true }
                DispatchQueue.global().asyncAfter(deadline: .now() + Self.pause) { [weak self] in self?.begin() }
                return
            }
        }
    }

    private func take() -> (words: [String], hasLost: Bool)? {
        state.withLock { state in
            guard state.hasLost || !state.words.isEmpty else {
                state.isSending = false
                return nil
            }
            defer { (state.words, state.hasLost) = ([], false) }
            return (state.words, state.hasLost)
        }
    }
}

/// The text of a notification: who says it, then the word; who says it alone means that words of theirs were lost.
enum Announced {
    static func word(_ word: String, by name: String) -> String { "\(name) \(word)" }

    static func loss(by name: String) -> String { name }

    /// What it means to a listener; nil when it said so itself.
    static func heard(_ text: String, by listener: String) -> StoreAnnouncement? {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.first.map(String.init) != listener else { return nil }
        return parts.count == 2 ? .told(String(parts[1])) : .missed
    }
}
