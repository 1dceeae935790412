import Testing

@testable import LoadTest

@Suite("Scenarios")
struct ScenarioTests {
    @Test("a phase says its load, its time and its name")
    func phases() throws {
        #expect(
            try Phase("ramp 10..200/s for 30s", index: 0)
                == Phase(name: "ramp", load: .rate(from: 10, to: 200), duration: .seconds(30)))
        #expect(
            try Phase("ramp 10..200 for 500ms", index: 0)
                == Phase(name: "ramp", load: .rate(from: 10, to: 200), duration: .milliseconds(500)))
        #expect(
            try Phase("100/s for 2h", index: 1)
                == Phase(name: "phase 2", load: .rate(from: 100, to: 100), duration: .seconds(7200)))
        #expect(
            try Phase("rush hour 32 people for 1.5m", index: 2)
                == Phase(name: "rush hour", load: .people(32), duration: .seconds(90)))
    }

    @Test(
        "what is no phase is refused",
        arguments: [
            "", "for 30s", "200 for 30s", "200/s", "200/s for 30", "200/s for -1s", "0/s for 30s", "1..2..3 for 30s",
            "0 people for 30s", "10..x/s for 3s", "ramp for 30s", "200/s during 30s", "-5..10/s for 3s",
            "200/s for nans",
        ])
    func refusedPhases(text: String) {
        #expect(throws: ScenarioError.self) { try Phase(text, index: 0) }
    }

    @Test("at a constant rate sign-ins begin at constant distances")
    func constant() {
        let schedule = ArrivalSchedule(from: 50, to: 50, duration: 2)
        #expect(schedule.count == 100)
        for index in 0..<100 { #expect(abs(schedule.time(of: index) - Double(index) / 50) < 1e-9) }
    }

    @Test(
        "a ramp begins as many as its mean rate says, ever closer, and all within its time", arguments: [true, false])
    func ramp(isRising: Bool) {
        let schedule = ArrivalSchedule(from: isRising ? 10 : 200, to: isRising ? 200 : 10, duration: 30)
        #expect(schedule.count == 3150)
        let times = (0..<schedule.count).map { schedule.time(of: $0) }
        #expect(times[0] == 0)
        #expect(times.last.map { $0 < 30 && $0 > 29.9 } == true)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(times.filter { $0 < 15 }.count == (isRising ? 863 : 2288))
    }

    @Test("a mix draws each intention as often as its share says")
    func mix() throws {
        let mix = try Mix("approve=80, decline=5,wrong-number=5,no-answer=0,code=10")
        var generator = SystemRandomNumberGenerator()
        var drawn: [Intention: Int] = [:]
        for _ in 0..<20_000 { drawn[mix.draw(using: &generator), default: 0] += 1 }
        // Eight standard deviations.
        #expect((15_500...16_500).contains(drawn[.approve] ?? 0))
        #expect((750...1250).contains(drawn[.decline] ?? 0))
        #expect((1650...2350).contains(drawn[.code] ?? 0))
        #expect(drawn[.noAnswer] == nil)
        #expect(mix.hasMisses)
        #expect(!Mix.approvals.hasMisses)
    }

    @Test(
        "what is no mix is refused",
        arguments: ["", "approve", "approve=0", "approve=-1", "approve=1,approve=2", "sleep=1", "approve=inf"])
    func refusedMixes(text: String) {
        #expect(throws: ScenarioError.self) { try Mix(text) }
    }

    @Test("answer times lie around their median, and none is none")
    func answerTimes() throws {
        var generator = SystemRandomNumberGenerator()
        #expect(AnswerTime.none.draw(using: &generator) == .zero)
        let time = try AnswerTime("4s")
        let drawn = (0..<4000).map { _ in time.draw(using: &generator).inSeconds }.sorted()
        #expect((3.6...4.4).contains(drawn[2000]))
        #expect(drawn[0] > 0 && drawn[3999] <= 45)
        #expect((5.8...7.6).contains(drawn[3360]))
        for text in ["", "4", "0s", "31s", "50ms", "fast"] {
            #expect(throws: ScenarioError.self) { try AnswerTime(text) }
        }
    }

    @Test("nobody misses so often that the phone falls silent, and nobody uses two codes of one time")
    func limits() {
        var choice = PersonalChoice(limits: PersonLimits(missesMax: 3, codeSeconds: 30))
        let now = ContinuousClock.now
        for _ in 0..<2 {
            #expect(choice.allowed(.decline, at: now) == .decline)
            choice.ended(.decline, asIntended: true)
        }
        #expect(choice.allowed(.noAnswer, at: now) == .approve)
        choice.ended(.approve, asIntended: true)
        #expect(choice.allowed(.noAnswer, at: now) == .noAnswer)
        #expect(choice.allowed(.code, at: now) == .code)
        #expect(choice.allowed(.code, at: now + .seconds(29)) == .approve)
        #expect(choice.allowed(.code, at: now + .seconds(30)) == .code)
    }
}
