/// How phones hear of requests.
package enum Wake: Sendable, Equatable, CustomStringConvertible {
    /// Each holds an event stream.
    case streams
    /// None holds one: each is woken through the double of a push provider, which runs on this machine, and asks then.
    case push(Provider, folder: String)

    package enum Provider: String, Sendable, CaseIterable { case apns, fcm, webpush }

    package var description: String {
        switch self {
        case .streams: "streams"
        case .push(let provider, _): provider.rawValue
        }
    }
}
