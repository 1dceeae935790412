/// The processes that speak on the bus. A raw value is the name in HELLO, in key files and in logs.
package enum ServiceName: String, Sendable, Hashable, CaseIterable {
    case policy
    case registration
    case challenge
    case verifier
    case notifier
    case federation
    case gateway
}
