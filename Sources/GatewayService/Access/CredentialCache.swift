import Domain
import Synchronization
import Wire

/// Credentials that policy has found good, until the tenant's revision moves or a minute has passed. Refusals are never kept:
/// a credential that was just made must work at once.
final class CredentialCache<Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let revision: UInt64
        let until: ContinuousClock.Instant
    }

    private let entries = Mutex<[[UInt8]: Entry]>([:])
    private let entriesMax: Int
    private let lifetime: Duration
    private let clock: @Sendable () -> ContinuousClock.Instant

    init(
        entriesMax: Int = 10_000, lifetime: Duration = .seconds(60),
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.entriesMax = entriesMax
        self.lifetime = lifetime
        self.clock = clock
    }

    func value(for key: [UInt8], revision: UInt64) -> Value? {
        let now = clock()
        return entries.withLock { entries in
            guard let entry = entries[key] else { return nil }
            guard entry.revision == revision, entry.until > now else {
                entries[key] = nil
                return nil
            }
            return entry.value
        }
    }

    /// `expiresIn` shortens the minute for a token that ends sooner.
    func keep(_ value: Value, for key: [UInt8], revision: UInt64, expiresIn: Duration? = nil) {
        let now = clock()
        let entry = Entry(value: value, revision: revision, until: now + min(lifetime, expiresIn ?? lifetime))
        entries.withLock { entries in
            if entries.count >= entriesMax { entries = entries.filter { $0.value.until > now } }
            // Still full: start over. The next requests ask policy again, which is what a cache may always do.
            if entries.count >= entriesMax { entries = [:] }
            entries[key] = entry
        }
    }
}
