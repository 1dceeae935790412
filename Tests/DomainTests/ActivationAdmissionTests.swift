import Domain
import Testing

@Suite("How many activations may wait for a phone")
struct ActivationAdmissionTests {
    private func waiting(_ ids: String...) -> [ActivationAdmission.Waiting] {
        ids.enumerated().map { .init(id: ActivationID($1), createdAt: Timestamp(seconds: Int64($0))) }
    }

    private func ids(_ ids: String...) -> [ActivationID] { ids.map { ActivationID($0) } }

    @Test("there is room below the limit, and nothing is withdrawn")
    func room() {
        for replaces in [false, true] {
            #expect(
                ActivationAdmission.judge(waiting("a", "b"), limit: 3, replacesOldest: replaces)
                    == .admitted(withdrawing: []))
        }
    }

    @Test("at the limit one more is refused, or the oldest gives way to it")
    func full() {
        let three = waiting("c", "b", "a")
        #expect(ActivationAdmission.judge(three, limit: 3, replacesOldest: false) == .tooMany)
        #expect(ActivationAdmission.judge(three, limit: 3, replacesOldest: true) == .admitted(withdrawing: ids("c")))
        #expect(
            ActivationAdmission.judge(three.reversed(), limit: 3, replacesOldest: true)
                == .admitted(withdrawing: ids("c"))
        )
    }

    @Test("where the limit was lowered, as many give way as are too many: never more than the limit wait")
    func lowered() {
        let three = waiting("a", "b", "c")
        #expect(
            ActivationAdmission.judge(three, limit: 1, replacesOldest: true)
                == .admitted(withdrawing: ids("a", "b", "c")))
        #expect(
            ActivationAdmission.judge(three, limit: 2, replacesOldest: true) == .admitted(withdrawing: ids("a", "b")))
    }
}
