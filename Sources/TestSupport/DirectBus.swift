import Domain
package import Messaging
import SwiftProtobuf
import Synchronization
package import Wire

/// Calls straight into the routes of services in the same process: bodies are still encoded and decoded, callers still checked.
package final class DirectBus: Sendable {
    private let services = Mutex<[ServiceName: Routes]>([:])
    private let faults = Mutex<[UInt16: @Sendable () async throws -> Void]>([:])

    package init() {}

    package func add(_ routes: Routes) { services.withLock { $0[routes.service] = routes } }

    package func remove(_ service: ServiceName) { services.withLock { _ = $0.removeValue(forKey: service) } }

    /// Runs `fault` before each call of `Request`; what it throws is what the caller gets.
    package func inject<Request: ServiceRequest>(
        _ request: Request.Type, _ fault: (@Sendable () async throws -> Void)?
    ) {
        faults.withLock { $0[Request.method.id] = fault }
    }

    /// The bus as `service` sees it.
    package func caller(_ service: ServiceName) -> any ServiceCaller { Caller(bus: self, service: service) }

    private struct Caller: ServiceCaller {
        let bus: DirectBus
        let service: ServiceName

        func call<Request: ServiceRequest>(_ request: Request, _ context: CallContext) async throws(ServiceError)
            -> Request.Reply
        {
            let method = Request.method
            guard method.callers.contains(service) else {
                throw ServiceError(.refused, "\(service.rawValue) may not call \(method.name)")
            }
            guard let route = bus.services.withLock({ $0[method.service]?.handlers[method.id] }) else {
                throw ServiceError(.unavailable, "no instance of \(method.service.rawValue) is ready")
            }
            do {
                if let fault = bus.faults.withLock({ $0[method.id] }) { try await fault() }
                let body: [UInt8] = try request.serializedBytes()
                let reply = try await route.handle(body, HandlerContext(caller: service, call: context))
                return try Request.Reply(serializedBytes: reply)
            } catch let error as ServiceError {
                throw error
            } catch {
                throw ServiceError(.internal, "\(method.name): \(error)")
            }
        }

        func call<Request: ServiceRequest>(_ request: Request, at instance: InstanceID, _ context: CallContext)
            async throws(ServiceError) -> Request.Reply
        {
            try await call(request, context)
        }

        func instances(of service: ServiceName) -> AsyncStream<Set<InstanceID>> {
            AsyncStream { $0.yield([InstanceID(rawValue: 1)]) }
        }
    }
}
