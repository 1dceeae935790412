// What tests share: a bus without sockets, seeded randomness, a clock that is set by hand.
//
// Owns: stand-ins that keep the real ones' promises. Must not know: which test uses them. Start reading at `DirectBus` and `HandClock`.
