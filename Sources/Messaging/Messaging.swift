// ZeroMQ for Swift: how one service asks another. The protocol is docs/protocol/messaging.md.
//
// Owns: the reactor thread and every socket on it, peers and their credit, calls and their fate, requests and their admission,
// CURVE keys and ZAP. Must not know: what any message means; who stores what; HTTP.
//
// Two halves. The rules are values without sockets, clocks or randomness: `FrameHeader` (bytes), `PeerMachine` (one connection to one
// callee), `CallerMachine` with `RequestMachine`, `Credit` and `RetryBudget` (the asking side), `WorkerMachine` (the answering side).
// The shell carries out what they decide: `Reactor` (thread and mailbox), `Engine` (sockets and timers on that thread), ZeroMQ/ (the C
// library, owned and freed), `MessageBus` (the face that services see).
//
// Start reading at `ServiceCaller` (asking), `Routes` (answering) and `MessageBus` (both over sockets); then `CallerMachine`.
