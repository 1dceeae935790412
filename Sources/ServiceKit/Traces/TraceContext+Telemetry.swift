package import Messaging
package import Telemetry
import Tracing

extension TraceContext {
    package init(_ place: Traceparent) {
        self.init(
            traceHigh: place.traceHigh, traceLow: place.traceLow, span: place.span, sampled: place.isSampled)
    }

    /// From a `traceparent` header; nil for one that must be ignored.
    package init?(traceparent header: String) {
        guard let place = Traceparent(header) else { return nil }
        self.init(place)
    }

    /// The header, nil when nothing is traced.
    package var traceparent: String? { Traceparent(self)?.description }

    /// Names the span of another trace to which the work that runs belongs too; nothing where nothing is recorded.
    package static func linkActiveSpan(to traceparent: String?) {
        guard let span = InstrumentationContext.current?.span, let place = traceparent.flatMap(Traceparent.init) else {
            return
        }
        span.link(to: place)
    }
}

extension Traceparent {
    /// Nil when nothing is traced.
    package init?(_ trace: TraceContext) {
        guard trace.traceHigh | trace.traceLow != 0, trace.span != 0 else { return nil }
        self.init(
            traceHigh: trace.traceHigh, traceLow: trace.traceLow, span: trace.span, isSampled: trace.sampled)
    }
}
