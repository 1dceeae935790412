import Domain
import Messaging
import Storage
import Testing

@testable import ChallengeService

@Suite("What goes to one receiver of the outbox")
struct OutboxLaneTests {
    private func message(_ sequence: Int64) -> OutboxRecord {
        OutboxRecord(
            sequence: sequence, kind: .notify, challenge: ChallengeID("c\(sequence)"), body: [],
            origin: RequestID(high: 1, low: 1), createdAt: Timestamp(seconds: 0), usefulUntil: nil, attemptsLeft: nil,
            dueAt: Timestamp(seconds: 0))
    }

    private func lane(places: Int) -> OutboxLane {
        var lane = OutboxLane(receiver: .notifier, places: places)
        lane.open()
        return lane
    }

    @Test("while nobody sends, nothing is handed over; who opens looks first")
    func closed() {
        var lane = OutboxLane(receiver: .notifier, places: 2)
        #expect(lane.free == 0)
        lane.handOver([message(1)])
        lane.open()
        #expect(lane.free == 2)
        let first = lane.take()
        #expect(first.messages.isEmpty && first.looks)
        lane.close()
        #expect(lane.free == 0)
    }

    @Test("a message that is under way, or delivered and not deleted yet, is found by no reading")
    func known() {
        var lane = lane(places: 4)
        lane.handOver([message(1), message(2)])
        let handed = lane.take().messages
        #expect(handed.map(\.sequence) == [1, 2] && lane.free == 2)
        let wasFull = lane.end(message(1), isDelivered: true)
        let look = lane.beginLook()
        #expect(!wasFull && look?.limit == 3 && look?.known == 2)
        let other = lane.endLook([1, 2, 3].map(message), limit: 3)
        #expect(other.map(\.sequence) == [3] && lane.deletable == [1])
        lane.forget([1], areDeleted: false)
        _ = lane.beginLook()
        let again = lane.endLook([1, 2, 3].map(message), limit: 2)
        #expect(again.map(\.sequence) == [1])
    }

    @Test("what is deleted during a reading is not sent again because of it")
    func deletedMeanwhile() {
        var lane = lane(places: 4)
        lane.handOver([message(1)])
        _ = lane.end(message(1), isDelivered: true)
        _ = lane.beginLook()
        lane.forget([1], areDeleted: true)
        let during = lane.endLook([message(1)], limit: 4)
        _ = lane.beginLook()
        let later = lane.endLook([message(1)], limit: 4)
        #expect(during.isEmpty && later.map(\.sequence) == [1])
    }

    @Test("without a place nothing is looked for, and whoever gives one back has it looked for")
    func full() {
        var lane = lane(places: 1)
        _ = lane.take()
        lane.handOver([message(1)])
        let look = lane.beginLook()
        let wasFull = lane.end(message(1), isDelivered: true)
        let looks = lane.take().looks
        #expect(look == nil && wasFull && looks)
    }
}
