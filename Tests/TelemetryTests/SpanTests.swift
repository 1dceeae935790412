import Foundation
import Testing
import Tracing

@testable import Telemetry

@Suite struct SpanTests {
    private struct Instant: TracerInstant {
        let nanosecondsSinceEpoch: UInt64
        static func < (left: Instant, right: Instant) -> Bool {
            left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
        }
    }

    private struct Secretive: Error, CustomStringConvertible { let description = "the secret" }

    private let queue = SpanQueue(spansMax: 4)
    private let caller = Traceparent(traceHigh: 1, traceLow: 2, span: 3, isSampled: true)
    private let process = OTLPResource(service: "countersign-policy", instance: "1f", version: "9")

    private func tracer(ratio: Double = 1, followsParent: Bool = true) -> SpanTracer {
        SpanTracer(sampling: .init(ratio: ratio, followsParent: followsParent), queue: queue)
    }

    /// The spans that wait, as the collector reads them.
    private func sent() throws -> [[String: Any]] {
        guard let (message, count) = try queue.take(from: process) else { return [] }
        let object = try JSONSerialization.jsonObject(with: Data(message)) as? [String: Any]
        let resource = try #require((object?["resourceSpans"] as? [[String: Any]])?.first)
        let scope = try #require((resource["scopeSpans"] as? [[String: Any]])?.first)
        let spans = try #require(scope["spans"] as? [[String: Any]])
        #expect(spans.count == count)
        return spans
    }

    @Test("a span is told as OTLP's JSON wants it: ids in hexadecimal, large numbers as text, enums as numbers")
    func form() throws {
        let span = tracer().startSpan(
            "policy/IssueToken", context: InstrumentationContext(parent: caller), ofKind: .server,
            at: Instant(nanosecondsSinceEpoch: 5))
        span.updateAttributes { attributes in
            attributes["b"] = "text"
            attributes["a"] = 7
            attributes["c"] = true
        }
        span.link(to: Traceparent(traceHigh: 0, traceLow: 0xAB, span: 0xCD, isSampled: true))
        span.recordError(Secretive(), attributes: [:], at: Instant(nanosecondsSinceEpoch: 6))
        span.setStatus(SpanStatus(code: .error))
        span.end(at: Instant(nanosecondsSinceEpoch: 9))
        let message = try #require(try queue.take(from: process)).message
        let expected = """
            {"traceId":"00000000000000010000000000000002","spanId":"\(span.place.spanID)","parentSpanId":"0000000000000003",\
            "flags":1,"name":"policy/IssueToken","kind":2,"startTimeUnixNano":"5","endTimeUnixNano":"9",\
            "attributes":[{"key":"a","value":{"intValue":"7"}},{"key":"b","value":{"stringValue":"text"}},\
            {"key":"c","value":{"boolValue":true}}],\
            "events":[{"timeUnixNano":"6","name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":"Secretive"}}]}],\
            "droppedEventsCount":0,"links":[{"traceId":"000000000000000000000000000000ab","spanId":"00000000000000cd","attributes":[]}],\
            "droppedLinksCount":0,"status":{"code":2}}
            """
        let object = try JSONSerialization.jsonObject(with: Data(message)) as? NSDictionary
        let wanted = try JSONSerialization.jsonObject(
            with: Data(
                """
                {"resourceSpans":[{"resource":{"attributes":[
                {"key":"service.instance.id","value":{"stringValue":"1f"}},
                {"key":"service.name","value":{"stringValue":"countersign-policy"}},
                {"key":"service.version","value":{"stringValue":"9"}}]},
                "scopeSpans":[{"scope":{"name":"countersign","version":"9"},"spans":[\(expected)]}]}]}
                """.utf8))
        #expect(object == wanted as? NSDictionary)
    }

    @Test("what finds no room is dropped and counted, and nobody waits")
    func bounded() throws {
        for number in 0..<7 { tracer().startSpan("\(number)").end() }
        #expect(queue.count == 4 && queue.dropped == 3)
        #expect(try sent().compactMap { $0["name"] as? String } == ["0", "1", "2", "3"])
        #expect(try sent().isEmpty && queue.count == 0)
    }

    @Test("a span counts once, and nothing is added to it after its end")
    func endsOnce() throws {
        let span = tracer().startSpan("a")
        span.end()
        span.end()
        span.operationName = "b"
        span.addEvent("late")
        #expect(!span.isRecording)
        #expect(try sent().map { $0["name"] as? String } == ["a"])
    }

    @Test("a span keeps a bounded number of parts, and says how many it lost")
    func boundedParts() throws {
        let span = tracer().startSpan("a")
        for _ in 0..<RecordedSpan.partsMax + 5 {
            span.addEvent("e")
            span.link(to: caller)
        }
        span.end()
        let told = try #require(try sent().first)
        #expect((told["events"] as? [Any])?.count == RecordedSpan.partsMax && told["droppedEventsCount"] as? Int == 5)
        #expect((told["links"] as? [Any])?.count == RecordedSpan.partsMax && told["droppedLinksCount"] as? Int == 5)
    }

    @Test("the ratio decides where a trace begins; a caller decides only where it is trusted")
    func sampling() {
        #expect(tracer(ratio: 0).admit("a", from: nil) == nil)
        #expect(tracer(ratio: 1).admit("a", from: nil) != nil)
        #expect(tracer(ratio: 0).admit("a", from: caller)?.place.traceID == caller.traceID)
        #expect(tracer(ratio: 1).admit("a", from: caller.sampled(false)) == nil)
        #expect(tracer(ratio: 0, followsParent: false).admit("a", from: caller) == nil)
        let admitted = tracer(ratio: 1, followsParent: false).admit("a", from: caller.sampled(false))
        #expect(admitted?.place.traceID == caller.traceID && admitted?.place.isSampled == true)
        let half = tracer(ratio: 0.5)
        let count = (0..<2_000).count { _ in half.admit("a", from: nil) != nil }
        #expect((800...1_200).contains(count))
    }

    @Test("a child of what is not sampled is not sampled")
    func unsampledChild() throws {
        let span = tracer().startSpan("a", context: InstrumentationContext(parent: caller.sampled(false)))
        span.end()
        #expect(!span.place.isSampled && span.place.traceID == caller.traceID)
        #expect(try sent().isEmpty)
    }

    @Test("inside a span its place is the parent of others, also over a carrier")
    func nesting() throws {
        struct Headers: Injector, Extractor {
            func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
                carrier[key] = value
            }
            func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        }
        let tracer = tracer()
        tracer.withSpan("outer") { outer in
            #expect(InstrumentationContext.current?.span === outer)
            tracer.withSpan("inner") { inner in #expect(inner.place.traceID == outer.place.traceID) }
            var carrier: [String: String] = [:]
            tracer.inject(outer.context, into: &carrier, using: Headers())
            #expect(carrier == ["traceparent": outer.place.description])
            var context = InstrumentationContext.topLevel
            tracer.extract(carrier, into: &context, using: Headers())
            #expect(context.traceparent == outer.place && context.span == nil)
        }
        let told = try sent()
        #expect(told.map { $0["name"] as? String } == ["inner", "outer"])
        #expect(told[0]["parentSpanId"] as? String == told[1]["spanId"] as? String)
        #expect(told[1]["parentSpanId"] == nil)
    }
}
