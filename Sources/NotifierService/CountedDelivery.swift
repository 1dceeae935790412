import Domain
import Storage

/// What is written down of a wake-up about which nobody else says anything, and counted when it has been.
struct CountedDelivery: Sendable {
    let delivery: DeliveryRecord
    let purpose: PushPurpose
}

extension WakeUpRecord {
    /// The attempt that the lease before this one was for; nil when its holder has said what came of it. It may have rung.
    func lostAttempt(at time: Timestamp) -> CountedDelivery? {
        guard isTakenOver else { return nil }
        // With none before in this stage it was to ring: the request has ended since.
        let purpose = attempts == 1 ? PushPurpose.ring : PushPurpose(stage)
        return CountedDelivery(delivery: DeliveryRecord(self, .interrupted, at: time), purpose: purpose)
    }
}
