package import Messaging
package import Wire

/// One instance of a service, asked again and again for as long as it answers: only it can go on from what it has told so far.
package struct FollowedInstance: Sendable {
    private let caller: any ServiceCaller
    private let service: ServiceName
    private var instance: InstanceID?

    package init(of service: ServiceName, _ caller: any ServiceCaller) {
        self.service = service
        self.caller = caller
    }

    /// As `ServiceCaller.call`. After a failure the next call goes to any instance that is ready then.
    package mutating func call<Request: ServiceRequest>(_ request: Request, _ context: CallContext)
        async throws(ServiceError) -> Request.Reply
    {
        let chosen = try await chosen()
        instance = nil
        let reply = try await caller.call(request, at: chosen, context)
        instance = chosen
        return reply
    }

    private func chosen() async throws(ServiceError) -> InstanceID {
        if let instance { return instance }
        for await ready in caller.instances(of: service) {
            guard let any = ready.randomElement() else { break }
            return any
        }
        throw ServiceError(
            .unavailable, "no instance of \(service.rawValue) is ready", retryAfter: .seconds(1))
    }
}
