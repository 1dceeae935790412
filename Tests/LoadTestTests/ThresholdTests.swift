import Testing

@testable import LoadTest

@Suite("Thresholds")
struct ThresholdTests {
    private static func report() -> Report {
        let tally = Tally(Phase(name: "soak", load: .rate(from: 10, to: 10), duration: .seconds(10)))
        for millisecond in 1...100 {
            tally.offered()
            tally.began(isLate: false)
            tally.completed(.approve, .milliseconds(millisecond))
        }
        for _ in 0..<2 { tally.failed("begin: 503 overloaded") }
        tally.end(after: 10, requests: 400)
        return Report(
            startedAt: "2026-11-27T00:00:00.000Z", gateway: "http://127.0.0.1:8080", people: 8, mix: "approve=1",
            answerTime: "none", wake: "streams", phases: [tally.result()])
    }

    @Test(
        "what holds is not told",
        arguments: [
            "p99(whole) > 100ms", "p50(whole)>=0.06s", "max(whole) > 101 ms", "failures > 2", "failures > 2%",
            "rate < 10/s", "mismatches > 0", "not_started > 0", "rate < 10/s in soak",
        ])
    func holding(text: String) throws {
        #expect(try Threshold(text).violations(in: Self.report()) == [])
    }

    @Test(
        "what does not hold is told with its value",
        arguments: [
            ("p99(whole) > 50ms", "it is 99.0"), ("mean(whole) <= 60ms", "it is 50."), ("failures > 0", "it is 2 in"),
            ("failures >= 2%", "it is 2%"), ("rate <= 10/s", "it is 10/s"),
            ("p99(answer_to_page) > 1h", "no threshold"),
        ])
    func violated(text: String, words: String) throws {
        do {
            let violations = try Threshold(text).violations(in: Self.report())
            #expect(violations.count == 1)
            #expect(violations[0].contains(words))
        } catch {
            #expect(error.description.contains(words))
        }
    }

    @Test("what was never measured, and a phase that is not there, do not hold")
    func missing() throws {
        #expect(try Threshold("p99(answer_to_page) > 50ms").violations(in: Self.report()).count == 1)
        #expect(try Threshold("rate < 1/s in ramp").violations(in: Self.report()).count == 1)
    }

    @Test(
        "what is no threshold is refused",
        arguments: [
            "", "p99 > 50ms", "p98(whole) > 50ms", "p99(hole) > 50ms", "p99(whole) = 50ms", "p99(whole) > 50",
            "rate < 5",
            "failures > -1", "failures > nan", "failures > 1ms", "failures",
        ])
    func refused(text: String) {
        #expect(throws: ScenarioError.self) { try Threshold(text) }
    }
}
