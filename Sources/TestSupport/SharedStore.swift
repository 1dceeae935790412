package import Storage
import Synchronization

/// A store as one of several processes has it that share it: what it announces the others hear.
package final class SharedStore<Records>: Store {
    /// The processes that share one store.
    package final class Peers: Sendable {
        private let listeners = Mutex<[(name: Int, listener: AsyncStream<StoreAnnouncement>.Continuation)]>([])

        package init() {}

        fileprivate func add(_ listener: AsyncStream<StoreAnnouncement>.Continuation) -> Int {
            listeners.withLock { listeners in
                listeners.append((listeners.count, listener))
                return listeners.count - 1
            }
        }

        fileprivate func tell(_ word: String, from name: Int) {
            for (_, listener) in listeners.withLock({ $0.filter { $0.name != name } }) { listener.yield(.told(word)) }
        }

        /// Everybody has missed something, as after a break of their connections.
        package func breakOff() {
            for (_, listener) in listeners.withLock(\.self) { listener.yield(.missed) }
        }
    }

    private let store: any Store<Records>
    private let peers: Peers
    private let name: Int
    package let announcements: AsyncStream<StoreAnnouncement>?

    package init(_ store: any Store<Records>, among peers: Peers) {
        let (stream, listener) = AsyncStream.makeStream(of: StoreAnnouncement.self)
        self.store = store
        self.peers = peers
        announcements = stream
        name = peers.add(listener)
    }

    package func announce(_ word: String) { peers.tell(word, from: name) }

    package func write<Result: Sendable>(
        until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result {
        try await store.write(until: deadline, body)
    }

    package func read<Result: Sendable>(_ body: @escaping @Sendable (Records) throws -> Result) async throws -> Result {
        try await store.read(body)
    }

    package func check() async throws { try await store.check() }

    package var waiting: Int { store.waiting }

    package func close() async { await store.close() }
}
