import Domain
import Testing

@Suite("Refused credentials on their way to the audit log")
struct RefusalLedgerTests {
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1000 + seconds) }

    @Test("a burst is one entry with its count, from the first to the latest")
    func burst() {
        let desk = Desk()
        #expect(desk.ledger.nextDue == nil)
        for index in 0..<5 { #expect(desk.add("alice", at(0) + .milliseconds(100 * Int64(index)))) }
        #expect(desk.ledger.nextDue == at(1))
        #expect(desk.due(at(0) + .milliseconds(999)).isEmpty)
        let entries = desk.due(at(1))
        #expect(entries.map(\.count) == [5])
        #expect(entries.first?.shown.at == at(0) + .milliseconds(400))
        #expect(entries.first?.firstAt == at(0))
        #expect(entries.first?.lastAt == at(0) + .milliseconds(400))
        #expect(desk.ledger.nextDue == nil)
    }

    @Test("an entry shows the latest place: one that says none takes no other's, and is counted")
    func place() {
        let desk = Desk()
        for place in [nil, "home", "office", nil] { #expect(desk.add("alice", at(0), from: place)) }
        let entries = desk.due(at(1))
        #expect(entries.map(\.shown.place) == ["office"] && entries.map(\.count) == [4])
    }

    @Test("a subject has one entry a minute at most, however often somebody tries, and none is left out of the counts")
    func minute() {
        let desk = Desk()
        var entries: [Desk.Ledger.Entry] = []
        for second in 0..<600 {
            #expect(desk.add("alice", at(Int64(second))))
            entries += desk.due(at(Int64(second)))
        }
        entries += desk.ledger.takeAll()
        #expect(entries.count <= 11)
        #expect(entries.map(\.count).reduce(0, +) == 600)
    }

    @Test("one subject's entry waits for no other's; a full ledger has room again after a quiet minute, whoever looks")
    func subjects() {
        let desk = Desk(subjectsMax: 2)
        #expect(desk.add("alice", at(0)))
        #expect(desk.due(at(1)).map(\.shown.subject) == ["alice"])
        #expect(desk.add("bob", at(10)))
        #expect(desk.due(at(11)).map(\.shown.subject) == ["bob"])
        #expect(!desk.add("carol", at(12)))
        #expect(!desk.add("carol", at(60)))
        #expect(desk.add("carol", at(61)))
    }

    @Test("what is left out is told at once, and after that once a minute with its number")
    func leftOut() {
        let desk = Desk(subjectsMax: 1)
        #expect(desk.add("alice", at(0)))
        #expect(desk.ledger.takeLeftOut(at: at(0)) == 0)
        var told: [Int] = []
        for second in 0..<90 {
            #expect(!desk.add("bob", at(Int64(second))))
            told.append(desk.ledger.takeLeftOut(at: at(Int64(second))))
        }
        #expect(told.filter { $0 > 0 } == [1, 60])
        #expect(desk.ledger.takeLeftOut(at: at(120)) == 29)
    }

    @Test("what could not be written is due after a minute, together with what came meanwhile")
    func putBack() {
        let desk = Desk()
        #expect(desk.add("alice", at(0), from: "home"))
        #expect(desk.add("bob", at(0)))
        let taken = desk.due(at(1))
        #expect(desk.add("alice", at(2)))
        desk.ledger.putBack(taken, at: at(3))
        #expect(desk.ledger.nextDue == at(61))
        #expect(desk.due(at(60)).isEmpty)
        let alice = desk.due(at(61)).filter { $0.shown.subject == "alice" }
        #expect(alice.map(\.count) == [2] && alice.map(\.shown.place) == ["home"])
        #expect(alice.map(\.firstAt) == [at(0)] && alice.map(\.lastAt) == [at(2)])
        #expect(desk.ledger.nextDue == nil)
    }

    @Test("a clock that was a day ahead and is set back holds an entry up for no longer than a minute")
    func setBack() {
        let desk = Desk()
        #expect(desk.add("alice", at(86_400)))
        #expect(desk.due(at(0)).count == 1)
    }
}

/// A ledger that an expectation can change.
private final class Desk {
    struct Refusal: CountedRefusal {
        let subject: String
        let at: Timestamp
        let place: String?
        var hasPlace: Bool { place != nil }
    }
    typealias Ledger = RefusalLedger<Refusal>

    var ledger: Ledger

    init(subjectsMax: Int = 10) { ledger = Ledger(subjectsMax: subjectsMax) }

    func add(_ subject: String, _ time: Timestamp, from place: String? = nil) -> Bool {
        ledger.add(Refusal(subject: subject, at: time, place: place))
    }

    func due(_ time: Timestamp) -> [Ledger.Entry] { ledger.takeDue(at: time) }
}
