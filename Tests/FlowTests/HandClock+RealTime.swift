import Domain
import Foundation
import TestSupport

/// The server's clock.
extension HandClock {
    static var step: Duration { .seconds(30) }

    /// It starts near the real time, because the `Date` of a reply is the HTTP server's own, and ten seconds into a step of the
    /// offline codes, so that moving it a little stays in the step.
    static func nearRealTime() -> HandClock {
        let real = Int64(Date().timeIntervalSince1970)
        return HandClock(Timestamp(seconds: real - real % 30 + 10))
    }
}
