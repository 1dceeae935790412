import Logging
import Telemetry
import Tracing
import Wire

/// What a process needs to be traced: the tracer, the way out of its spans, and the ids in its logs.
struct ProcessTraces: Sendable {
    let tracer: SpanTracer
    let exporter: SpanExporter

    /// Nil when nothing is traced.
    init?(
        _ standard: StandardSettings, _ settings: Settings, instance: String, metrics: MetricsRegistry, logger: Logger
    ) {
        guard let configuration = standard.traces.configuration(settings) else { return nil }
        let batches = ChangeSignal()
        let queue = SpanQueue(spansMax: configuration.queueMax) { batches.advance() }
        let resource = OTLPResource(
            service: "countersign-\(standard.service.rawValue)", instance: instance, version: ServiceMain.version)
        tracer = SpanTracer(sampling: configuration.sampling, queue: queue)
        exporter = SpanExporter(
            configuration, resource, queue: queue, batches: batches, metrics: metrics, logger: logger)
    }

    /// Where in which trace a line of the log was written.
    static let logMetadata = Logger.MetadataProvider {
        guard let place = InstrumentationContext.current?.span?.place else { return [:] }
        return ["trace_id": "\(place.traceID)", "span_id": "\(place.spanID)"]
    }
}
