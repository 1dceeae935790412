import Synchronization
import Wire

/// The requests that are being answered now, those that only wait and the streams apart: whether there is room for further sign-ins.
///
/// Only what begins a sign-in is refused. Whoever has begun goes on: what was accepted is finished before more is accepted, so that under
/// any load sign-ins come to their end as fast as without it.
final class RequestLoad: Sendable {
    private let underway = Atomic<Int>(0)
    private let requestsMax: Int

    init(requestsMax: Int) { self.requestsMax = requestsMax }

    func enter() { underway.add(1, ordering: .relaxed) }
    func leave() { underway.subtract(1, ordering: .relaxed) }

    /// Throws `overloaded` when there is no room for one more. `waiting`: those of the requests that only wait.
    func admit(waiting: Int) throws(ServiceError) {
        guard underway.load(ordering: .relaxed) - waiting <= requestsMax else {
            throw ServiceError(.overloaded, "too many requests are being answered", retryAfter: .seconds(1))
        }
    }
}
