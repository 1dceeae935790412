import Domain
import SwiftProtobuf
package import Wire

/// What a handler knows of the request beside its body.
package struct HandlerContext: Sendable {
    package let caller: ServiceName
    package let call: CallContext

    package init(caller: ServiceName, call: CallContext) {
        self.caller = caller
        self.call = call
    }
}

/// The whole table of a service: message to handler.
package struct Routes: Sendable {
    /// Decodes a body, runs the handler and encodes its reply.
    package typealias Handler = @Sendable (_ body: [UInt8], _ context: HandlerContext) async throws -> [UInt8]

    package let service: ServiceName
    package private(set) var handlers: [UInt16: (method: Method, handle: Handler)] = [:]

    package init(service: ServiceName) { self.service = service }

    /// Adds a message and its handler. A handler throws `ServiceError` to refuse; anything else becomes `internal`.
    package mutating func on<Request: ServiceRequest>(
        _ request: Request.Type, _ handler: @escaping @Sendable (Request, HandlerContext) async throws -> Request.Reply
    ) {
        precondition(Request.method.service == service, "\(Request.method.name) is not answered by \(service.rawValue)")
        precondition(handlers[Request.method.id] == nil, "\(Request.method.name) has a handler already")
        handlers[Request.method.id] = (
            Request.method,
            { body, context in
                let message: Request
                do {
                    message = try Request(serializedBytes: body, options: Self.decoding)
                } catch {
                    throw ServiceError(.malformed, "the body is not a \(Request.method.name)")
                }
                return try await handler(message, context).serializedBytes()
            }
        )
    }

    /// The same table with each handler wrapped: how a process measures and logs all of them.
    package func mapHandlers(_ wrap: (Method, @escaping Handler) -> Handler) -> Routes {
        var result = self
        for (id, route) in handlers { result.handlers[id] = (route.method, wrap(route.method, route.handle)) }
        return result
    }

    private static let decoding: BinaryDecodingOptions = {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = 8
        return options
    }()
}
