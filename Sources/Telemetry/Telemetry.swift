// What a process tells its operator: metrics as Prometheus text, logs as JSON lines, and the W3C trace context.
//
// It must not know a service, a message or a transport. Start reading at `MetricsRegistry` and `JSONLogHandler`.
