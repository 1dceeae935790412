package import Wire

/// Asks other services. Two kinds exist: over ZeroMQ, and straight into another service's routes in the same process (tests).
package protocol ServiceCaller: Sendable {
    /// Sends `request` to one instance of the service that answers it and returns its reply.
    ///
    /// Throws `ServiceError`: what the service refused, or `overloaded` (nothing was sent), `unavailable` (no instance could be
    /// reached; with member `outcome` = `unknown` when it may have been executed), `expired` never: a passed deadline is
    /// `unavailable` too.
    func call<Request: ServiceRequest>(_ request: Request, _ context: CallContext) async throws(ServiceError)
        -> Request.Reply

    /// As `call`, to one instance by its id.
    func call<Request: ServiceRequest>(_ request: Request, at instance: InstanceID, _ context: CallContext)
        async throws(ServiceError)
        -> Request.Reply

    /// The instances of a service that are ready now, and again after each change. Ends when the caller's task is cancelled.
    func instances(of service: ServiceName) -> AsyncStream<Set<InstanceID>>
}

/// One running process, from its start to its end: random, so a restarted process is another instance.
package struct InstanceID: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package var description: String { String(rawValue, radix: 16) }
}
