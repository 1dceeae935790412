import Domain
package import Messaging
package import Telemetry
import Tracing
import Wire

extension Routes {
    /// The same table with a span around each handler whose request is sampled; the messages that the handler sends are its children.
    package func traced(_ tracer: SpanTracer) -> Routes {
        mapHandlers { method, handle in
            { body, context in
                guard context.call.trace.sampled else { return try await handle(body, context) }
                let span = tracer.startSpan(
                    method.spanName, context: InstrumentationContext(parent: Traceparent(context.call.trace)),
                    ofKind: .server)
                defer { span.end() }
                span.describe(method, context.call)
                span.updateAttributes { $0["countersign.caller"] = context.caller.rawValue }
                var call = context.call
                call.trace = TraceContext(span.place)
                let inner = HandlerContext(caller: context.caller, call: call)
                do {
                    return try await InstrumentationContext.withValue(span.context) { try await handle(body, inner) }
                } catch {
                    span.fail((error as? ServiceError)?.code ?? .internal)
                    throw error
                }
            }
        }
    }
}

extension Method {
    /// As remote procedure calls are named (OpenTelemetry semantic conventions).
    var spanName: String { "\(service.rawValue)/\(name)" }
}

extension RecordedSpan {
    func describe(_ method: Method, _ call: CallContext) {
        updateAttributes { attributes in
            attributes["rpc.system"] = "countersign"
            attributes["rpc.service"] = method.service.rawValue
            attributes["rpc.method"] = method.name
            attributes["countersign.request_id"] = call.originID.description
        }
    }

    /// What a caller did wrong is no error of this process.
    func fail(_ code: ErrorCode) {
        updateAttributes { $0["error.type"] = code.name }
        switch code {
        case .internal, .unavailable, .overloaded: setStatus(SpanStatus(code: .error))
        default: break
        }
    }
}
