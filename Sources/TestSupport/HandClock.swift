package import Domain
import Synchronization

/// A clock that stands still until a test moves it.
package final class HandClock: Sendable {
    private let time: Mutex<Timestamp>

    package init(_ start: Timestamp = Timestamp(seconds: 1_790_000_000)) { time = Mutex(start) }

    package var now: Timestamp { time.withLock { $0 } }

    package func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}
