import Testing

@testable import LoadTest

@Suite("Dispatcher")
struct DispatcherTests {
    private let tally = Tally(Phase(name: "open", load: .rate(from: 1, to: 1), duration: .seconds(1)))

    @Test(
        "what finds nobody free waits with its time, is late, and is counted where the queue is full or the phase ends")
    func open() async {
        let dispatcher = Dispatcher(queueMax: 2)
        dispatcher.enter(tally.phase, tally)
        let due = ContinuousClock.now - .seconds(3)
        for _ in 0..<4 { dispatcher.offer(Arrival(intended: due, tally: tally)) }
        #expect(await dispatcher.next()?.intended == due)
        dispatcher.end()
        #expect(await dispatcher.next() == nil)
        let result = tally.result()
        #expect((result.offered, result.begun, result.late, result.notStarted) == (4, 1, 1, 3))
    }

    @Test("in a closed loop the next begins at once when one has ended, and never late")
    func closed() async {
        let tally = Tally(Phase(name: "closed", load: .people(1), duration: .seconds(1)))
        let dispatcher = Dispatcher(queueMax: 2)
        dispatcher.enter(tally.phase, tally)
        for _ in 0..<3 {
            #expect(await dispatcher.next() != nil)
            dispatcher.finished()
        }
        dispatcher.end()
        #expect(await dispatcher.next() == nil)
        let result = tally.result()
        #expect((result.offered, result.begun, result.late, result.notStarted) == (3, 3, 0, 0))
    }

    @Test("who is free gets what falls due")
    func free() async {
        let dispatcher = Dispatcher(queueMax: 2)
        dispatcher.enter(tally.phase, tally)
        async let first = dispatcher.next()
        let due = ContinuousClock.now
        dispatcher.offer(Arrival(intended: due, tally: tally))
        #expect(await first?.intended == due)
        #expect(tally.result().notStarted == 0)
    }
}

@Suite("Reports")
struct ReportTests {
    private static func report(_ milliseconds: ClosedRange<Int>) -> Report {
        let tally = Tally(Phase(name: "<open>", load: .rate(from: 1, to: 1), duration: .seconds(10)))
        for millisecond in milliseconds {
            tally.offered()
            tally.began(isLate: false)
            tally.completed(.approve, .milliseconds(millisecond))
        }
        tally.failed("begin: 503 overloaded")
        tally.slice(at: 1)
        tally.slice(at: 2)
        tally.end(after: 10, requests: 40)
        return Report(
            startedAt: "2026-11-27T00:00:00.000Z", gateway: "https://id.example.org", people: 8, mix: "approve=1",
            answerTime: "none", wake: "streams", phases: [tally.result()])
    }

    @Test("what goes wrong at a phone is a failure, and ends no sign-in")
    func troubled() {
        let tally = Tally(Phase(name: "open", load: .rate(from: 1, to: 1), duration: .seconds(10)))
        for _ in 0..<3 { tally.began(isLate: false) }
        tally.completed(.approve, .milliseconds(1))
        tally.failed("begin: 503")
        for _ in 0..<5 { tally.troubled("event stream: the connection was lost") }
        let slice = tally.slice(at: 1).slice
        #expect((slice.inFlight, slice.completed, slice.failed) == (1, 1, 6))
    }

    @Test("what was lost and taken up again is counted apart, in the report, its page and the sum of two")
    func reconnected() throws {
        let tally = Tally(Phase(name: "open", load: .rate(from: 1, to: 1), duration: .seconds(10)))
        for _ in 0..<2 { tally.reconnected("wait: connection failed") }
        tally.reconnected("event stream: <lost>")
        #expect(tally.slice(at: 1).slice.failed == 0)
        var report = Self.report(1...2)
        report.phases = [tally.result()]
        #expect(report.phases[0].failed == 0 && report.phases[0].reconnected == 3)
        let merged = try Report.merged([report, report])
        #expect(merged.phases[0].reconnections == ["wait: connection failed": 4, "event stream: <lost>": 2])
        #expect(ReportPage(report).html.contains("<td>event stream: &lt;lost&gt;</td><td>1</td>"))
        #expect(try Threshold("reconnections > 2").violations(in: report).count == 1)
    }

    @Test("two processes together are what one would have been")
    func merging() throws {
        let merged = try Report.merged([Self.report(1...50), Self.report(51...100)])
        let phase = merged.phases[0]
        #expect(merged.people == 16)
        #expect((phase.completed, phase.failed, phase.httpRequests) == (100, 2, 80))
        #expect(phase.rate == 10)
        #expect(phase.latency["whole"]?.p99 == Self.report(1...100).phases[0].latency["whole"]?.p99)
        #expect(phase.timeline.map(\.completed) == [100, 0])
        #expect(throws: ScenarioError.self) { try Report.merged([]) }
    }

    @Test("the page escapes what it shows and asks no other host for anything")
    func page() {
        let html = ReportPage(Self.report(1...100)).html
        #expect(html.contains("&lt;open&gt;") && !html.contains("<open>"))
        #expect(html.contains("<polyline class=\"line-1\""))
        for outside in ["src=", "href=", "url(", "@import", "<script"] { #expect(!html.contains(outside)) }
    }

    @Test("a histogram log has a line for each latency and second")
    func log() throws {
        var histogram = Histogram()
        histogram.record(.milliseconds(12))
        let lines = HistogramLog.lines(from: 3.5, length: 1, [.whole: histogram, .begin: Histogram()])
        #expect(lines.hasPrefix("Tag=whole,3.500,1.000,12.000,HISTFAAA"))
        #expect(lines.split(separator: "\n").count == 1)
    }
}
