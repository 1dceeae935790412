package import Messaging
import Telemetry

extension TraceContext {
    /// From a `traceparent` header; nil for one that must be ignored.
    package init?(traceparent header: String) {
        guard let parsed = Traceparent(header) else { return nil }
        self.init(traceHigh: parsed.traceHigh, traceLow: parsed.traceLow, span: parsed.span, sampled: parsed.isSampled)
    }

    /// The header, nil when nothing is traced.
    package var traceparent: String? {
        guard traceHigh | traceLow != 0, span != 0 else { return nil }
        return Traceparent(traceHigh: traceHigh, traceLow: traceLow, span: span, isSampled: sampled).description
    }
}
