// How a process starts, is configured, says how it is, and stops; and what several services do in the same way.
//
// Owns: configuration, the operations port, the order of start and stop, the mirror of policy's documents, effects that happen once,
// how tasks wait for a change.
// Must not know: what any one service is for. Start reading at `ServiceMain`, then `Settings` and `Once`.
