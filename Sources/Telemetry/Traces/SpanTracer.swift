package import Tracing

/// Makes the spans of a process and hands those that are sampled to a queue when they end.
///
/// Whether a trace is sampled is decided once, where it begins, and travels with it (`Traceparent.isSampled`), so that a trace is
/// complete or not there.
package struct SpanTracer: Tracer {
    package typealias Span = RecordedSpan

    /// Who decides whether a trace is sampled.
    package struct Sampling: Sendable {
        /// Of the traces that begin here, the part that is sampled: 0 to 1.
        package var ratio: Double
        /// Whether a caller's `traceparent` decides for its trace. Where strangers call, they could have everything sampled.
        package var followsParent: Bool

        package init(ratio: Double, followsParent: Bool) {
            self.ratio = ratio
            self.followsParent = followsParent
        }
    }

    private let sampling: Sampling
    private let queue: SpanQueue

    package init(sampling: Sampling, queue: SpanQueue) {
        self.sampling = sampling
        self.queue = queue
    }

    /// The span of a request from outside, in the trace that its caller names or one of its own; nil when it is not sampled.
    package func admit(_ operationName: String, from caller: Traceparent?) -> RecordedSpan? {
        let isSampled = sampling.followsParent ? caller?.isSampled : nil
        guard isSampled ?? (Double.random(in: 0..<1) < sampling.ratio) else { return nil }
        return startSpan(operationName, context: InstrumentationContext(parent: caller?.sampled(true)), ofKind: .server)
    }

    /// A child of the context's place, or a trace of its own when there is none. Of what is not sampled nothing is kept.
    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> RecordedSpan {
        let parent = context().traceparent
        let place = parent?.child() ?? .root()
        let record = RecordedSpan.Record(
            place: place, parent: parent?.span, kind: kind, start: instant().nanosecondsSinceEpoch, name: operationName)
        return RecordedSpan(record) { [queue] record in if record.place.isSampled { queue.append(record) } }
    }

    package func activeSpan(identifiedBy context: InstrumentationContext) -> RecordedSpan? { context.span }

    /// Ended spans leave by themselves, within the exporter's interval.
    package func forceFlush() {}

    package func extract<Carrier, Extract>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract: Extractor, Extract.Carrier == Carrier {
        let header = extractor.extract(key: Traceparent.headerName, from: carrier)
        if let place = header.flatMap(Traceparent.init) { context.traceparent = place }
    }

    package func inject<Carrier, Inject>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject: Injector, Inject.Carrier == Carrier {
        guard let place = context.traceparent else { return }
        injector.inject(place.description, forKey: Traceparent.headerName, into: &carrier)
    }
}

extension Traceparent {
    package static let headerName = "traceparent"

    package func sampled(_ isSampled: Bool) -> Traceparent {
        Traceparent(traceHigh: traceHigh, traceLow: traceLow, span: span, isSampled: isSampled)
    }

    /// A place in the same trace.
    func child() -> Traceparent {
        Traceparent(traceHigh: traceHigh, traceLow: traceLow, span: .random(in: 1 ... .max), isSampled: isSampled)
    }

    /// The place of a sampled trace's first span.
    static func root() -> Traceparent {
        Traceparent(
            traceHigh: .random(in: 1 ... .max), traceLow: .random(in: 1 ... .max), span: .random(in: 1 ... .max),
            isSampled: true)
    }
}
