import Testing

/// The flow tier: all six services in one process over a real bus, SQLite in a temporary folder, the gateway's HTTP edge on a port
/// of its own, and phones that are the Authenticator library. Time is moved by hand.
///
/// One test at a time: each starts six buses and five databases, and some measure that a waiting page is woken at once.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FlowTests {}
