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
        isTakenOver ? lostAttempt(number: attempts - 1, at: time) : nil
    }

    /// What is said of one that is deleted: the attempt that its last lease was for, if nobody has said what came of it; and that it came
    /// to none, if it was to be sent.
    func forgone(at time: Timestamp) -> [CountedDelivery] {
        let lost = isUnheard ? [lostAttempt(number: attempts, at: time)] : []
        guard WakeUpStage.sent.contains(stage), attempts == 0 else { return lost }
        return lost + [CountedDelivery(delivery: DeliveryRecord(self, .expired, at: time), purpose: PushPurpose(stage))]
    }

    /// `number` is 0 when the request has ended since: it was to ring.
    private func lostAttempt(number: Int, at time: Timestamp) -> CountedDelivery {
        CountedDelivery(
            delivery: DeliveryRecord(self, .interrupted, at: time), purpose: number == 0 ? .ring : PushPurpose(stage))
    }
}
