import Domain
import Logging
import Messaging
import Telemetry
import Testing
import Wire

@testable import ServiceKit

/// One handler as its process has it, measured and logged, and a gateway that asks it.
struct ObservedHandler {
    let id = RequestID(milliseconds: 1, random: (1, 1))
    private let handle: Routes.Handler

    init<Request: ServiceRequest>(
        _ request: Request.Type, _ metrics: MetricsRegistry,
        _ logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        _ handler: @escaping @Sendable (Request) async throws -> Request.Reply
    ) throws {
        var routes = Routes(service: Request.method.service)
        routes.on(Request.self) { request, _ in try await handler(request) }
        handle = try #require(routes.observed(metrics, logger).handlers[Request.method.id]).handle
    }

    @discardableResult
    func ask(_ body: [UInt8] = [], within time: Duration = .seconds(5)) async throws -> [UInt8] {
        let call = CallContext(requestID: id, originID: id, deadline: .now + time)
        return try await handle(body, HandlerContext(caller: .gateway, call: call))
    }
}
