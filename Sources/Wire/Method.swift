package import SwiftProtobuf

/// One kind of request on the bus: who answers it, who may ask, and whether it may be repeated.
package struct Method: Sendable, Hashable {
    /// How a repeat of the request behaves.
    package enum Effect: Sendable, Hashable {
        /// Reads only: may be repeated, and asked of two instances at once.
        case reads
        /// Has an effect, once: keyed by the request id, so a repeat gets the first reply.
        case keyed
    }

    /// How long an answer may take.
    package enum Wait: Sendable, Hashable {
        case ordinary
        /// Parks at the callee until something happens; has its own limit and takes no ordinary credit.
        case parked
    }

    /// The number in the frame header. Never reused.
    package let id: UInt16
    package let name: String
    package let service: ServiceName
    package let effect: Effect
    package let wait: Wait
    package let callers: Set<ServiceName>

    package init(
        _ id: UInt16, _ name: String, answeredBy service: ServiceName, _ effect: Effect, _ wait: Wait = .ordinary,
        callers: Set<ServiceName>
    ) {
        self.id = id
        self.name = name
        self.service = service
        self.effect = effect
        self.wait = wait
        self.callers = callers
    }

    package static func == (left: Method, right: Method) -> Bool { left.id == right.id }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// A message that asks for a reply.
package protocol ServiceRequest: SwiftProtobuf.Message, Sendable {
    associatedtype Reply: SwiftProtobuf.Message & Sendable
    static var method: Method { get }
}
