import Domain
import Foundation
import Logging
import Messaging
import Synchronization
import Telemetry
import TestSupport
import Testing
import Tracing
import Wire

@testable import ServiceKit

@Suite struct TraceTests {
    private let queue = SpanQueue(spansMax: 100)
    private let bus = DirectBus()
    private var tracer: SpanTracer { SpanTracer(sampling: .init(ratio: 0, followsParent: true), queue: queue) }
    private var caller: any ServiceCaller { TracedCaller(caller: bus.caller(.gateway), tracer: tracer) }

    private func context(_ trace: TraceContext) -> CallContext {
        let id = RequestID(milliseconds: 1, random: (1, 1))
        return CallContext(requestID: id, originID: id, deadline: .now + .seconds(5), trace: trace)
    }

    private static let sampled = TraceContext(traceHigh: 1, traceLow: 2, span: 3, sampled: true)

    private struct Told: Decodable {
        struct Resource: Decodable { let scopeSpans: [Scope] }
        struct Scope: Decodable { let spans: [Span] }
        struct Span: Decodable {
            struct Status: Decodable { let code: Int }
            struct Link: Decodable { let spanId: String }
            let spanId: String
            let parentSpanId: String?
            let name: String
            let kind: Int
            let links: [Link]
            let status: Status
        }
        let resourceSpans: [Resource]
    }

    private func told() throws -> [Told.Span] {
        let process = OTLPResource(service: "test", instance: "1", version: "1")
        guard let (message, _) = try queue.take(from: process) else { return [] }
        return try JSONDecoder().decode(Told.self, from: Data(message)).resourceSpans[0].scopeSpans[0].spans
    }

    @Test("a call and its handler are two spans, the handler's within the call's, and the handler sees its own place")
    func callAndHandler() async throws {
        let seen = Mutex<(call: TraceContext, log: Logger.Metadata)?>(nil)
        var routes = Routes(service: .policy)
        routes.on(IssueToken.self) { _, context in
            TraceContext.linkActiveSpan(to: "00-00000000000000000000000000000009-0000000000000008-01")
            seen.withLock { $0 = (context.call.trace, ProcessTraces.logMetadata.get()) }
            return IssueTokenReply()
        }
        bus.add(routes.traced(tracer))
        _ = try await caller.call(IssueToken(), context(Self.sampled))
        let spans = try told()
        try #require(spans.map(\.kind) == [2, 3] && spans.allSatisfy { $0.name == "policy/IssueToken" })
        #expect(spans[1].parentSpanId == "0000000000000003" && spans[0].parentSpanId == spans[1].spanId)
        #expect(spans[0].links.map(\.spanId) == ["0000000000000008"])
        let found = seen.withLock(\.self)
        let (call, log) = try #require(found)
        #expect(call.traceparent == "00-00000000000000010000000000000002-\(spans[0].spanId)-01")
        #expect(log == ["trace_id": "00000000000000010000000000000002", "span_id": "\(spans[0].spanId)"])
    }

    @Test("a failure of a service is an error of its spans; a refusal of the caller is not")
    func failures() async throws {
        let error = Mutex(ServiceError(.unavailable))
        var routes = Routes(service: .policy)
        routes.on(IssueToken.self) { _, _ in throw error.withLock(\.self) }
        bus.add(routes.traced(tracer))
        await #expect(throws: ServiceError.self) {
            try await caller.call(IssueToken(), at: InstanceID(rawValue: 1), context(Self.sampled))
        }
        #expect(try told().map(\.status.code) == [2, 2])
        error.withLock { $0 = ServiceError(.refused) }
        await #expect(throws: ServiceError.self) { try await caller.call(IssueToken(), context(Self.sampled)) }
        #expect(try told().map(\.status.code) == [0, 0])
    }

    @Test("what is not sampled leaves no span, and its place goes on unchanged")
    func unsampled() async throws {
        let seen = Mutex<[TraceContext]>([])
        var routes = Routes(service: .policy)
        routes.on(IssueToken.self) { _, context in
            seen.withLock { $0.append(context.call.trace) }
            #expect(ProcessTraces.logMetadata.get().isEmpty)
            return IssueTokenReply()
        }
        bus.add(routes.traced(tracer))
        var trace = Self.sampled
        trace.sampled = false
        for trace in [trace, .none] { _ = try await caller.call(IssueToken(), context(trace)) }
        #expect(try told().isEmpty && seen.withLock(\.self) == [trace, .none])
    }

    @Test("a call without a place of its own belongs to the span that is open")
    func inherited() async throws {
        var routes = Routes(service: .policy)
        routes.on(IssueToken.self) { _, _ in IssueTokenReply() }
        bus.add(routes.traced(tracer))
        let outer = tracer.startSpan("outer")
        try await InstrumentationContext.withValue(outer.context) {
            _ = try await caller.call(IssueToken(), context(.none))
        }
        #expect(try told().last?.parentSpanId == outer.place.spanID)
    }

    @Test("a place reads and writes back, and an empty one is none")
    func places() {
        #expect(TraceContext.none.traceparent == nil)
        let text = "00-00000000000000010000000000000002-0000000000000003-01"
        #expect(TraceContext(traceparent: text) == Self.sampled && Self.sampled.traceparent == text)
    }

    @Test(
        "an end point is an http or https URL without a password; a ratio is from 0 to 1",
        arguments: [
            ("telemetry.traces.endpoint", "ftp://a/b"), ("telemetry.traces.endpoint", "http://user:secret@a/b"),
            ("telemetry.traces.endpoint", "collector:4318"), ("telemetry.traces.ratio", "1.5"),
            ("telemetry.traces.ratio", "nan"), ("telemetry.traces.queueMax", "0"),
        ])
    func refusedSettings(key: String, value: String) throws {
        let keys = TraceSettings(isEdge: true).keys
        let problem = #expect(throws: ConfigurationProblems.self) {
            try Settings(keys, service: "gateway", commandLine: [key: value], environment: [:], file: [:])
        }
        #expect("\(try #require(problem))".contains(key))
    }

    @Test("without an end point nothing is traced, and behind the edge the edge's decision is followed")
    func settings() throws {
        func configuration(isEdge: Bool, _ values: [String: String]) throws -> TraceConfiguration? {
            let traces = TraceSettings(isEdge: isEdge)
            return traces.configuration(
                try Settings(traces.keys, service: "gateway", commandLine: values, environment: [:], file: [:]))
        }
        #expect(try configuration(isEdge: true, [:]) == nil)
        let endpoint = ["telemetry.traces.endpoint": "http://127.0.0.1:4318/v1/traces"]
        let edge = try #require(try configuration(isEdge: true, endpoint))
        #expect(edge.sampling.ratio == 0.05 && !edge.sampling.followsParent && edge.queueMax == 4_096)
        #expect(try #require(try configuration(isEdge: false, endpoint)).sampling.followsParent)
    }
}
