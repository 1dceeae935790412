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
        var lane = OutboxLane(places: places)
        lane.open()
        return lane
    }

    @Test("while nobody sends, nothing is handed over; who opens looks first")
    func closed() {
        var lane = OutboxLane(places: 2)
        #expect(lane.free == 0)
        lane.handOver([message(1)])
        lane.open()
        #expect(lane.free == 2)
        let first = lane.take()
        #expect(first.messages.isEmpty && first.looks)
        lane.close()
        #expect(lane.free == 0)
    }

    /// A reading that finds these.
    private func look(_ lane: inout OutboxLane, finding sequences: [Int64], limit: Int) -> [Int64] {
        _ = lane.beginLook()
        lane.endLook(sequences.map(message), limit: limit, isFull: false)
        return lane.take().messages.map(\.sequence)
    }

    @Test("a message that is under way, or delivered and not deleted yet, is found by no reading")
    func known() {
        var lane = lane(places: 4)
        lane.handOver([message(1), message(2)])
        let handed = lane.take().messages
        #expect(handed.map(\.sequence) == [1, 2] && lane.free == 2)
        let wasFull = lane.end(message(1), isDelivered: true)
        let bounds = lane.beginLook()
        #expect(!wasFull && bounds?.limit == 3 && bounds?.known == 2)
        let other = look(&lane, finding: [1, 2, 3], limit: 3)
        #expect(other == [3] && lane.deletable == [1])
        lane.forget([1], areDeleted: false)
        let again = look(&lane, finding: [1, 2, 3], limit: 2)
        #expect(again == [1])
    }

    @Test("what a reading found before it was handed over is sent once")
    func foundFirst() {
        var lane = lane(places: 4)
        let found = look(&lane, finding: [1], limit: 4)
        lane.handOver([message(1), message(2)])
        let handed = lane.take().messages
        #expect(found == [1] && handed.map(\.sequence) == [2])
    }

    @Test("what is deleted during a reading is not sent again because of it")
    func deletedMeanwhile() {
        var lane = lane(places: 4)
        lane.handOver([message(1)])
        _ = lane.take()
        _ = lane.end(message(1), isDelivered: true)
        _ = lane.beginLook()
        lane.forget([1], areDeleted: true)
        lane.endLook([message(1)], limit: 4, isFull: false)
        let during = lane.take().messages
        let later = look(&lane, finding: [1], limit: 4)
        #expect(during.isEmpty && later == [1])
    }

    @Test("what is handed over waits for no reading, and one reading follows another that was full")
    func oneReading() {
        var lane = lane(places: 4)
        let first = lane.take().looks
        _ = lane.beginLook()
        lane.look()
        lane.handOver([message(1)])
        let meanwhile = lane.take()
        #expect(first && meanwhile.messages.map(\.sequence) == [1] && !meanwhile.looks)
        lane.endLook([], limit: 3, isFull: false)
        let second = lane.take().looks
        _ = lane.beginLook()
        lane.endLook([message(2)], limit: 3, isFull: true)
        let third = lane.take().looks
        #expect(second && third)
    }

    @Test("a reading that filled the places it had is followed by another, though others became free meanwhile")
    func filled() {
        var lane = lane(places: 4)
        lane.handOver([message(1)])
        _ = lane.take()
        let bounds = lane.beginLook()
        _ = lane.end(message(1), isDelivered: true)
        lane.endLook([2, 3, 4, 5].map(message), limit: 3, isFull: false)
        let next = lane.take()
        #expect(bounds?.limit == 3 && next.messages.map(\.sequence) == [2, 3, 4] && next.looks)
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
