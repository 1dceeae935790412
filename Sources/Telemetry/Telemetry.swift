// What a process tells its operator: metrics as Prometheus text, logs as JSON lines, and the W3C trace context.
//
// Owns: their forms and limits. Must not know: a service, a message or a transport. Start reading at `MetricsRegistry` and `JSONLogHandler`.
