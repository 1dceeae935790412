// What a process tells its operator: metrics as Prometheus text, logs as JSON lines, and traces (W3C Trace Context, OpenTelemetry).
//
// Owns: their forms and limits. Must not know: a service, a message or a transport. Start reading at `MetricsRegistry`, `JSONLogHandler`
// and `SpanTracer`.
