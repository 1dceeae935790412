// The public HTTP contract as Swift types: paths, headers, limits, and every body with its exact member names.
//
// Owns: what travels between the gateway and those who call it. Must not know: the bus, storage, or how either side works.
// Start reading at `APIPaths`, then the bodies of the resource you need. `docs/protocol/http.md` is the same in prose.

/// The limits of the public contract that both sides know.
package enum APILimits {
    /// Bodies other than an import.
    package static let bodyBytesMax = 64 * 1024
    /// An upload of `users:import`, which is read as a stream.
    package static let importBytesMax = 64 * 1024 * 1024
    package static let importLineBytesMax = 16 * 1024
    /// Bad lines that an import's report lists; it counts all of them.
    package static let importProblemsMax = 10_000
    /// The longest long-poll, in seconds.
    package static let waitSecondsMax = 30
    package static let pageDefault = 100
    package static let pageMax = 1000
    /// Of `context`: what is longer is cut.
    package static let ipAddressBytesMax = 64
    package static let userAgentBytesMax = 512
    package static let idempotencyKeyBytesMax = 255
    /// A comment line on every event stream, so that proxies and clients see that it lives.
    package static let streamCommentSeconds = 15
    package static let streamLifetimeSeconds = 600
}

/// Header names of the contract, and the schemes of `Authorization`.
package enum APIHeaders {
    package static let signInSecret = "Sign-In-Secret"
    package static let idempotencyKey = "Idempotency-Key"
    package static let requestID = "X-Request-Id"
    /// Of `GET /healthz`, with `loadTestAllowed`, where load tests are allowed; otherwise it is not there.
    package static let loadTest = "Countersign-Load-Test"
    package static let loadTestAllowed = "allowed"
    package static let deviceProofScheme = "DeviceProof"
}

/// Media types of the contract.
package enum APIMedia {
    package static let json = "application/json"
    package static let problem = "application/problem+json"
    package static let events = "text/event-stream"
    package static let csv = "text/csv"
    package static let ndjson = "application/x-ndjson"
    package static let form = "application/x-www-form-urlencoded"
}
