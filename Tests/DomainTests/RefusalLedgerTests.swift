import Domain
import Testing

@Suite("Refused passwords on their way to the audit log")
struct RefusalLedgerTests {
    private static let alice = Desk.Ledger.Subject(tenant: TenantID("demo"), person: PersonID("alice"))
    private static let bob = Desk.Ledger.Subject(tenant: TenantID("demo"), person: PersonID("bob"))

    private func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1000 + seconds) }

    @Test("a burst is one entry with its count, from the first to the latest")
    func burst() {
        let desk = Desk()
        #expect(desk.ledger.nextDue == nil)
        for index in 0..<5 {
            #expect(desk.add(Self.alice, at: at(0) + .milliseconds(100 * Int64(index)), "try \(index)"))
        }
        #expect(desk.ledger.nextDue == at(1))
        #expect(desk.due(at(0) + .milliseconds(999)).isEmpty)
        let entries = desk.due(at(1))
        #expect(entries.map(\.count) == [5])
        #expect(entries.first?.latest == "try 4")
        #expect(entries.first?.firstAt == at(0))
        #expect(entries.first?.lastAt == at(0) + .milliseconds(400))
        #expect(desk.ledger.nextDue == nil)
    }

    @Test("a person has one entry a minute at most, however often somebody tries, and none is left out of the counts")
    func minute() {
        let desk = Desk()
        var entries: [Desk.Ledger.Entry] = []
        for second in 0..<600 {
            #expect(desk.add(Self.alice, at: at(Int64(second))))
            entries += desk.due(at(Int64(second)))
        }
        entries += desk.ledger.takeAll()
        #expect(entries.count <= 11)
        #expect(entries.map(\.count).reduce(0, +) == 600)
    }

    @Test("one person's entry waits for no other's, and after a quiet minute nothing is remembered")
    func people() {
        let desk = Desk(peopleMax: 2)
        #expect(desk.add(Self.alice, at: at(0)))
        #expect(desk.due(at(1)).map(\.subject) == [Self.alice])
        #expect(desk.add(Self.bob, at: at(10)))
        #expect(desk.due(at(11)).map(\.subject) == [Self.bob])
        let carol = Desk.Ledger.Subject(tenant: TenantID("demo"), person: PersonID("carol"))
        #expect(!desk.add(carol, at: at(12)))
        #expect(desk.due(at(71)).isEmpty)
        #expect(desk.add(carol, at: at(72)))
    }

    @Test("a clock that was a day ahead and is set back holds an entry up for no longer than a minute")
    func setBack() {
        let desk = Desk()
        #expect(desk.add(Self.alice, at: at(86_400)))
        #expect(desk.due(at(0)).count == 1)
    }
}

/// A ledger that an expectation can change.
private final class Desk {
    typealias Ledger = RefusalLedger<String>

    var ledger: Ledger

    init(peopleMax: Int = 10) { ledger = Ledger(peopleMax: peopleMax) }

    func add(_ subject: Ledger.Subject, at time: Timestamp, _ refusal: String = "") -> Bool {
        ledger.add(refusal, of: subject, at: time)
    }

    func due(_ time: Timestamp) -> [Ledger.Entry] { ledger.takeDue(at: time) }
}
