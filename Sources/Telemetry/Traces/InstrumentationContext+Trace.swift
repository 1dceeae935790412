package import Tracing

extension InstrumentationContext {
    private enum ParentKey: InstrumentationContextKey { typealias Value = Traceparent }
    private enum SpanKey: InstrumentationContextKey { typealias Value = RecordedSpan }

    /// What came from elsewhere, and what spans become children of.
    package init(parent: Traceparent?) {
        self = .topLevel
        self[ParentKey.self] = parent
    }

    /// Where in which trace the code that runs stands: the span that is open here, else what came from elsewhere.
    package internal(set) var traceparent: Traceparent? {
        get { self[ParentKey.self] }
        set {
            self[ParentKey.self] = newValue
            self[SpanKey.self] = nil
        }
    }

    /// The span that is open here; nil when nothing is recorded.
    package internal(set) var span: RecordedSpan? {
        get { self[SpanKey.self] }
        set {
            traceparent = newValue?.place ?? traceparent
            self[SpanKey.self] = newValue
        }
    }
}
