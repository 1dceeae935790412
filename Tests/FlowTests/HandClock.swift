import Domain
import Foundation
import Synchronization

/// The server's clock: stands still until a test moves it.
///
/// It starts near the real time, because the `Date` of a reply is the HTTP server's own, and ten seconds into a step of the offline
/// codes, so that moving it a little stays in the step.
final class HandClock: Sendable {
    static let step = Duration.seconds(30)

    private let time: Mutex<Timestamp>

    init() {
        let real = Int64(Date().timeIntervalSince1970)
        time = Mutex(Timestamp(seconds: real - real % 30 + 10))
    }

    var now: Timestamp { time.withLock { $0 } }

    func move(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}
