import Messaging
import Telemetry
import Tracing
import Wire

/// A caller with a span around each message of a sampled request.
struct TracedCaller: ServiceCaller {
    let caller: any ServiceCaller
    let tracer: SpanTracer

    func call<Request: ServiceRequest>(_ request: Request, _ context: CallContext) async throws(ServiceError)
        -> Request.Reply
    {
        guard let span = open(Request.method, context) else { return try await caller.call(request, context) }
        defer { span.end() }
        do {
            return try await caller.call(request, context.inside(span))
        } catch {
            span.fail(error.code)
            throw error
        }
    }

    func call<Request: ServiceRequest>(_ request: Request, at instance: InstanceID, _ context: CallContext)
        async throws(ServiceError) -> Request.Reply
    {
        guard let span = open(Request.method, context) else {
            return try await caller.call(request, at: instance, context)
        }
        defer { span.end() }
        do {
            return try await caller.call(request, at: instance, context.inside(span))
        } catch {
            span.fail(error.code)
            throw error
        }
    }

    func instances(of service: ServiceName) -> AsyncStream<Set<InstanceID>> { caller.instances(of: service) }

    /// Nil for what is not sampled. A call that says nothing of a trace belongs to the one that it is made in, if any.
    private func open(_ method: Method, _ context: CallContext) -> RecordedSpan? {
        let parent = Traceparent(context.trace) ?? InstrumentationContext.current?.traceparent
        guard let parent, parent.isSampled else { return nil }
        let span = tracer.startSpan(
            method.spanName, context: InstrumentationContext(parent: parent), ofKind: .client)
        span.describe(method, context)
        return span
    }
}

extension CallContext {
    fileprivate func inside(_ span: RecordedSpan) -> CallContext {
        var context = self
        context.trace = TraceContext(span.place)
        return context
    }
}
