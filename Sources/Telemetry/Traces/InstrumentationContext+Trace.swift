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
    package var traceparent: Traceparent? { self[ParentKey.self] }

    /// The span that is open here; nil when nothing is recorded.
    package internal(set) var span: RecordedSpan? {
        get { self[SpanKey.self] }
        set {
            self[SpanKey.self] = newValue
            self[ParentKey.self] = newValue?.place ?? traceparent
        }
    }
}
