package import Domain

/// What travels beside a message: which request this is, how long it may still take, and where it came from.
package struct CallContext: Sendable {
    /// The idempotency key: the same across retries and instances.
    package var requestID: RequestID
    /// The id of the public HTTP request (`X-Request-Id`) that all of this serves; the one to search all logs for.
    package var originID: RequestID
    /// When the caller stops waiting.
    package var deadline: ContinuousClock.Instant
    package var trace: TraceContext

    package init(
        requestID: RequestID, originID: RequestID, deadline: ContinuousClock.Instant, trace: TraceContext = .none
    ) {
        self.requestID = requestID
        self.originID = originID
        self.deadline = deadline
        self.trace = trace
    }

    /// The context of the `index`th message that a handler of `parent` sends with this method: its id follows from the parent's,
    /// so that a repeated handler repeats the same requests.
    package func child(_ method: UInt16, index: UInt16 = 0) -> CallContext {
        var child = self
        child.requestID = requestID.child(method: method, index: index)
        return child
    }
}

/// W3C Trace Context (https://www.w3.org/TR/trace-context/): all zero when nothing is traced.
package struct TraceContext: Sendable, Hashable {
    package var traceHigh: UInt64
    package var traceLow: UInt64
    package var span: UInt64
    package var sampled: Bool

    package init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, sampled: Bool) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.sampled = sampled
    }

    package static let none = TraceContext(traceHigh: 0, traceLow: 0, span: 0, sampled: false)
}
