import DeviceAPI
import Domain
import HTTPTypes
import Logging
import Messaging
import NIOCore
import Secrets
import ServiceKit
import Wire

/// What every handler works with.
struct Edge: Sendable {
    let configuration: GatewayConfiguration
    let caller: any ServiceCaller
    let tenants: any Tenants
    /// The one tenant there is; nil without any and with several, since nobody is told which there are.
    let soleTenant: @Sendable () -> TenantID?
    let authentication: Authentication
    let load: RequestLoad
    let parked: ParkedRequests
    let streams: EventStreams
    let bodies: BodyDeadlines
    let hub: LiveHub
    let logger: Logger
    let now: @Sendable () -> Timestamp

    /// What `aud` of a device's signatures must be.
    func audience(_ tenant: TenantID) -> String { "\(configuration.externalURL)/\(tenant)" }

    /// Throws `overloaded` when no further sign-in is to be begun now.
    func admitSignIn() throws(ServiceError) { try load.admit(waiting: parked.held) }

    /// The id under which the services do the one effect of a POST: from the caller's `Idempotency-Key`, else fresh.
    ///
    /// Scoped to caller and path, so that two callers with the same key never meet. Throws `malformed`.
    func effect(_ inbound: Inbound, by identity: String) throws(ServiceError) -> RequestID {
        guard let key = inbound.headers[.idempotencyKey] else { return inbound.originID }
        guard (1...APILimits.idempotencyKeyBytesMax).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x21...0x7E).contains($0) || $0 == 0x20 })
        else { throw ServiceError(.malformed, "Idempotency-Key is not 1 to 255 printable ASCII characters") }
        return RequestID(idempotencyDigest: sha256(Array("\(identity)\u{0}\(inbound.path)\u{0}\(key)".utf8)))
    }

    /// Opens an event stream over the request's connection; see `StreamWork`. `close` gives back what the caller holds for it.
    ///
    /// A page's stream is a wait and counts there, so that pages crowd out no phone.
    func stream(
        _ inbound: Inbound, counts: Bool = true, feed: @escaping @Sendable (StreamMailbox) async -> Void,
        close: @escaping @Sendable () -> Void
    ) throws(ServiceError) -> Reply {
        let connection = inbound.connection
        let mailbox = StreamMailbox(onOverflow: { connection.close() })
        let id = try streams.open(mailbox, counts: counts)
        let places = StreamPlaces { [streams] in
            close()
            streams.close(id)
        }
        return .events(mailbox, StreamWork(feed: { await feed(mailbox) }, places: places))
    }
}
