import Synchronization
import Testing

@testable import LoadTest

@Suite("Several generator processes")
struct ShareTests {
    @Test("shares are what there is, each once")
    func shares() throws {
        let shares = (0..<3).map { Share(index: $0, count: 3) }
        #expect(shares.map { $0.part(of: 8) } == [3, 3, 2])
        #expect(shares.flatMap { Array($0.indices(of: 8)) }.sorted() == Array(0..<8))
        #expect(Share("2/3") == shares[2])
        for text in ["3/3", "-1/3", "0/0", "1", "a/b", "1/2/3", ""] { #expect(Share(text) == nil) }
    }

    @Test("a process has its part of a closed loop's people")
    func closedLoop() async {
        let tally = Tally(Phase(name: "closed", load: .people(3), duration: .seconds(1)))
        let dispatcher = Dispatcher(queueMax: 2, share: Share(index: 1, count: 2))
        dispatcher.enter(tally.phase, tally)
        #expect(await dispatcher.next() != nil)
        async let second = dispatcher.next()
        dispatcher.end()
        #expect(await second == nil)
        #expect(tally.result().offered == 1)
    }

    /// Keeps what it is told.
    private final class Listener: RunObserver {
        let told = Mutex<[String]>([])

        func made(_ count: Int, of total: Int) { tell("made \(count) of \(total)") }
        func began(_ phase: Phase) { tell("began \(phase.name)") }
        func passed(_ slice: Slice, of phase: Phase, _ interval: [Latency: Histogram], failures: [String: Int]) {
            tell("\(slice.second.short) \(slice.completed) \(interval[.whole]?.count ?? 0) \(failures)")
        }
        func ended(_ phase: Phase, at second: Double, _ interval: [Latency: Histogram]) {
            tell("ended \(second.short) \(interval[.whole]?.count ?? 0)")
        }
        func removed(left: Int) { tell("left \(left)") }

        private func tell(_ line: String) { told.withLock { $0.append(line) } }
    }

    @Test("what all have told is told once, and what some have told alone is part of the end")
    func progress() throws {
        let phase = Phase(name: "closed", load: .people(2), duration: .seconds(2))
        let listener = Listener()
        let progress = MergedProgress([phase], people: 4, generators: 2, observer: listener)
        // As each of two processes would.
        for index in 0..<2 {
            let observer = GeneratorObserver { message in
                #expect(throws: Never.self) { try progress.take(message, from: index) }
            }
            observer.made(2, of: 2)
            observer.began(phase)
            let tally = Tally(phase)
            for second in 1...(index == 0 ? 1 : 2) {
                tally.offered()
                tally.began(isLate: false)
                tally.completed(.approve, .milliseconds(10))
                tally.failed("begin: 503")
                let (slice, interval) = tally.slice(at: Double(second))
                observer.passed(slice, of: phase, interval, failures: tally.failures)
            }
            tally.completed(.approve, .milliseconds(20))
            observer.ended(phase, at: 2, tally.slice(at: 2).interval)
            observer.removed(left: index)
        }
        #expect(
            listener.told.withLock { $0 } == [
                "made 2 of 4", "began closed", "made 4 of 4", "1 2 2 [\"begin: 503\": 2]", "ended 2 3", "left 1",
            ])
    }

    @Test("seconds are joined by their number, whatever their clocks say")
    func numbers() throws {
        let phase = Phase(name: "closed", load: .people(2), duration: .seconds(2))
        let listener = Listener()
        let progress = MergedProgress([phase], people: 2, generators: 2, observer: listener)
        for index in 0..<2 {
            let observer = GeneratorObserver { message in
                #expect(throws: Never.self) { try progress.take(message, from: index) }
            }
            observer.began(phase)
            let tally = Tally(phase)
            for second in index == 0 ? [1, 2.0] : [1.6, 2.4] {
                tally.completed(.approve, .milliseconds(10))
                let (slice, interval) = tally.slice(at: second)
                observer.passed(slice, of: phase, interval, failures: tally.failures)
            }
        }
        #expect(listener.told.withLock { $0 } == ["began closed", "1 2 2 [:]", "2 2 2 [:]"])
    }

    @Test("a phase that is none, and a histogram that is none, are refused")
    func nonsense() {
        let progress = MergedProgress([], people: 1, generators: 1, observer: Listener())
        #expect(throws: ScenarioError.self) { try progress.take(.began(phase: 0), from: 0) }
        #expect(throws: ScenarioError.self) {
            try progress.take(.ended(phase: 0, second: 1, interval: ["x": ""]), from: 0)
        }
    }

    @Test("credentials of the environment are all there, or the missing one is named")
    func environment() throws {
        var environment = Dictionary(uniqueKeysWithValues: Target.variables.map { ($0, "word") })
        let target = try Target(environment: environment, gateway: "https://id.example.org/", tenant: "acme")
        #expect(
            target.base == "https://id.example.org" && target.client == "Basic d29yZDp3b3Jk" && target.token == "word")
        environment[Target.variables[1]] = ""
        let error = #expect(throws: ScenarioError.self) {
            try Target(environment: environment, gateway: "https://id.example.org", tenant: "acme")
        }
        #expect(error?.description.contains("COUNTERSIGN_LOADTEST_CLIENT_SECRET is not set") == true)
    }
}
