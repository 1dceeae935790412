// The rules of sign-in, and the words that everybody uses for them.
//
// Owns: state machines of requests and activations, the policy and who it lets use what, limits and their ranges, names, ids and times
// as values, JSON. Must not know: where anything is stored, sent or logged, what time it is, or where randomness comes from; all of
// that is passed in. Start reading at `ChallengeMachine`, then `PolicyVerdict` and `TenantSettings`.
