package import Messaging
import Synchronization
package import Wire

/// The way to other services before there is a bus: a service is made with it, the bus with the service's routes, and then the two
/// are joined. A call that comes before that finds nobody.
package final class DeferredCaller: ServiceCaller {
    private let target = Mutex<(any ServiceCaller)?>(nil)

    package init() {}

    package func connect(to caller: any ServiceCaller) { target.withLock { $0 = caller } }

    package func call<Request: ServiceRequest>(_ request: Request, _ context: CallContext) async throws(ServiceError)
        -> Request.Reply
    {
        try await caller().call(request, context)
    }

    package func call<Request: ServiceRequest>(_ request: Request, at instance: InstanceID, _ context: CallContext)
        async throws(ServiceError) -> Request.Reply
    {
        try await caller().call(request, at: instance, context)
    }

    package func instances(of service: ServiceName) -> AsyncStream<Set<InstanceID>> {
        target.withLock(\.self)?.instances(of: service) ?? AsyncStream { $0.finish() }
    }

    private func caller() throws(ServiceError) -> any ServiceCaller {
        guard let caller = target.withLock(\.self) else {
            throw ServiceError(.unavailable, "the process is starting", retryAfter: .seconds(1))
        }
        return caller
    }
}
