import Storage
import Synchronization

/// Sends words to the other processes that listen to the schema: whatever waits when a session is free goes in one transaction.
///
/// Apart from the transactions that the words are about: a commit with NOTIFY in it waits for every other such commit of the whole
/// database (PostgreSQL source, `PreCommit_Notify`), and a word may be lost where a commit may not.
final class Announcer: Sendable {
    /// Words that wait; beyond it the oldest are dropped.
    private static let waitingMax = 4_096

    private struct State {
        var words: [String] = []
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
            if state.words.count >= Self.waitingMax { state.words.removeFirst() }
            state.words.append(word)
            defer { state.isSending = true }
            return !state.isSending
        }
        guard isFirst else { return }
        // Too many bodies wait, or the store is closing: the words wait for the next one.
        if !pool.submit({ self.send($0) }) { state.withLock { $0.isSending = false } }
    }

    private func send(_ session: Session) {
        while let words = take() {
            // Lost words are what a listener must be ready for.
            try? session.transact(.write) { connection in
                try connection.add("SET LOCAL synchronous_commit TO off")
                for word in words {
                    try connection.add("SELECT pg_notify(?, ?)", [channel, "\(name) \(word)"])
                }
            }
        }
    }

    private func take() -> [String]? {
        state.withLock { state in
            guard !state.words.isEmpty else {
                state.isSending = false
                return nil
            }
            defer { state.words = [] }
            return state.words
        }
    }
}
