import Domain
import Testing

@Suite("Figures of the sign-in log")
struct SignInSummaryTests {
    @Test("a request counts by how it ended; a decoy that nothing settled never reached a phone")
    func outcomes() {
        var summary = SignInSummary()
        for status in ChallengeStatus.allCases {
            summary.add(2, at: 0, status: status, isDecoy: false, answerTenths: nil)
            summary.add(1, at: 0, status: status, isDecoy: true, answerTenths: nil)
        }
        var expected = SignInSummary.Step()
        // Approved and redeemed alike; a code may settle a decoy.
        (expected.approved, expected.denied, expected.expired) = (6, 2, 2)
        (expected.canceled, expected.pending, expected.unreached) = (2, 2, 4)
        expected.unreachedCanceled = 1
        #expect(summary.steps == [0: expected])
        #expect(summary.answers.count == 0 && summary.answers.milliseconds(atMostFor: 50) == nil)
    }

    @Test("percentiles are nearest ranks of all answers, in their step and in the whole")
    func percentiles() {
        var summary = SignInSummary()
        for tenths in 1...100 {
            summary.add(1, at: tenths % 2, status: .approved, isDecoy: false, answerTenths: tenths)
        }
        summary.add(1, at: 2, status: .denied, isDecoy: false, answerTenths: 7)
        #expect(summary.answers.count == 101)
        #expect(summary.answers.milliseconds(atMostFor: 50) == 5000)
        #expect(summary.answers.milliseconds(atMostFor: 99) == 9900)
        #expect(summary.answers.milliseconds(atMostFor: 100) == 10_000)
        #expect(summary.steps[0]?.answers.milliseconds(atMostFor: 90) == 9000)
        for percent in [1, 50, 99] { #expect(summary.steps[2]?.answers.milliseconds(atMostFor: percent) == 700) }
    }

    @Test(
        "a range has at least one step and at most 500",
        arguments: [
            (0, 1, 60, true), (0, 500 * 60_000, 60, true), (0, 500 * 60_000 + 1, 60, false), (0, 0, 60, false),
            (1, 0, 60, false), (0, 60_000, 59, false), (0, 86_400_000, 86_400, true), (0, 1, 86_401, false),
            (Int64.min, Int64.max, 86_400, false),
        ] as [(Int64, Int64, Int, Bool)])
    func ranges(from: Int64, to: Int64, step: Int, isOne: Bool) {
        let range = SignInRange(
            from: Timestamp(milliseconds: from), to: Timestamp(milliseconds: to), stepSeconds: step)
        #expect((range != nil) == isOne)
    }

    @Test("counts of the same change of mode add up")
    func modes() {
        var tally = ModeTally()
        let loss = ModeTally.Change(before: .any, after: nil)
        tally.add(ModeTally.Count(people: 2, withDevice: 1), to: loss)
        tally.add(ModeTally.Count(people: 1, withDevice: 1, withPhoneSignIn: 1), to: loss)
        tally.add(ModeTally.Count(people: 4), to: ModeTally.Change(before: .any, after: .any))
        #expect(tally.counts[loss] == ModeTally.Count(people: 3, withDevice: 2, withPhoneSignIn: 1))
        #expect(tally.counts.count == 2)
    }
}
