package import Storage
import Synchronization

/// A store that fails on command, as one does whose disk is full or gone.
package final class FailingStore<Records>: Store {
    package enum Fault: Sendable {
        /// The body is not run.
        case beforeBody
        /// The body runs, and nothing of it is kept.
        case atCommit
        /// All of it is kept, and nobody hears so.
        case afterCommit
    }

    private struct Undone: Error {}

    private let store: any Store<Records>
    private let fault = Mutex<(fault: Fault, writes: Int)?>(nil)

    package init(_ store: any Store<Records>) { self.store = store }

    /// Fails the next `writes` writes in this way.
    package func fail(_ fault: Fault, writes: Int = .max) { self.fault.withLock { $0 = (fault, writes) } }

    package func mend() { fault.withLock { $0 = nil } }

    package func write<Result: Sendable>(
        until deadline: ContinuousClock.Instant?, _ body: @escaping @Sendable (Records) throws -> Result
    ) async throws -> Result {
        switch nextFault() {
        case nil: return try await store.write(until: deadline, body)
        case .beforeBody: throw StorageError.unavailable
        case .atCommit:
            do {
                return try await store.write(until: deadline) { records in
                    _ = try body(records)
                    throw Undone()
                }
            } catch is Undone {
                throw StorageError.unavailable
            }
        case .afterCommit:
            _ = try await store.write(until: deadline, body)
            throw StorageError.unknown
        }
    }

    package func read<Result: Sendable>(_ body: @escaping @Sendable (Records) throws -> Result) async throws -> Result {
        try await store.read(body)
    }

    package func announce(_ word: String) { store.announce(word) }
    package var announcements: AsyncStream<StoreAnnouncement>? { store.announcements }

    package func check() async throws {
        if fault.withLock({ $0 != nil }) { throw StorageError.unavailable }
        try await store.check()
    }

    package var waiting: Int { store.waiting }

    package func close() async { await store.close() }

    private func nextFault() -> Fault? {
        fault.withLock { state in
            guard let (fault, writes) = state, writes > 0 else { return nil }
            state = writes == .max ? state : (fault, writes - 1)
            return fault
        }
    }
}
