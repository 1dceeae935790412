import DeviceAPI
import Domain
import HTTPTypes
import Hummingbird
import Logging
import Messaging
import NIOCore
import ServiceKit
import Telemetry
import Tracing
import Wire

/// What Hummingbird makes for each request.
struct GatewayRequestContext: InitializableFromSource, Sendable {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }
}

/// Every request's way in and out: names it, finds its route, reads its body, answers, logs, counts.
struct GatewayResponder: HTTPResponder {
    typealias Context = GatewayRequestContext

    let table: RouteTable
    let edge: Edge
    let metrics: GatewayMetrics
    let tracer: SpanTracer?
    let addresses: ClientAddress
    let errorPage: ErrorPage

    func respond(to request: Request, context: GatewayRequestContext) async throws -> Response {
        edge.load.enter()
        defer { edge.load.leave() }
        let parent = request.headers[.traceparent].flatMap { Traceparent($0) }
        let span = tracer?.admit(GatewayMetrics.known(request.method.rawValue), from: parent)
        // What is not sampled here is not sampled behind, whatever its caller says.
        let trace = span?.place ?? parent?.sampled(false)
        let arrival = Arrival(
            originID: Domain.RequestID.make(at: edge.now()), trace: trace.map { TraceContext($0) } ?? .none,
            connection: Connection(channel: context.channel), at: .now)
        metrics.began()
        guard let span else { return await answer(request, arrival).response }
        defer { span.end() }
        return await InstrumentationContext.withValue(span.context) {
            let answer = await answer(request, arrival)
            describe(request, arrival, answer, on: span)
            return answer.response
        }
    }

    /// What a request is known by from its first byte on.
    struct Arrival: Sendable {
        let originID: Domain.RequestID
        let trace: TraceContext
        let connection: Connection
        let at: ContinuousClock.Instant
    }

    private struct Answer {
        let response: Response
        let template: String
    }

    private func answer(_ request: Request, _ arrival: Arrival) async -> Answer {
        let (path, query) = Self.split(request.head.path ?? "/")
        var route: Route?
        var template = "unmatched"
        var hasWaited = false
        var refusal: ServiceError?
        var reply: Reply
        do {
            guard addresses.mayConnect(arrival.connection.peer, isTLS: edge.configuration.tls != nil) else {
                throw ServiceError(.refused, "plain HTTP is for loopback and the proxies that are named")
            }
            let match = try table.match(path)
            template = match?.template ?? template
            route = match.flatMap { $0.routes[request.method == .head ? .get : request.method] }
            let found = try Self.found(route, match)
            let inbound = try await inbound(
                request, found, path: path, query: query, parameters: match?.parameters ?? [:], arrival)
            hasWaited = inbound.query["wait"] != nil
            reply = try await found.handler(inbound)
        } catch {
            let told = Self.refusal(error)
            refusal = told.error
            reply = Self.problem(told, route, arrival.originID, edge.logger)
            reply = errorPage.reply(instead: reply, request.method, path, request.headers, arrival.originID) ?? reply
        }
        Self.complete(&reply.headers, arrival.originID)
        let duration = ContinuousClock.now - arrival.at
        metrics.answered(request.method.rawValue, template, reply.status.code, duration, hasWaited: hasWaited)
        log(request, path, reply, refusal, arrival, duration)
        return Answer(
            response: response(reply, isHead: request.method == .head, arrival.connection), template: template)
    }

    /// As HTTP servers' spans are described (OpenTelemetry semantic conventions). The path is left out: it names people and devices.
    private func describe(_ request: Request, _ arrival: Arrival, _ answer: Answer, on span: RecordedSpan) {
        let (method, status) = (GatewayMetrics.known(request.method.rawValue), answer.response.status.code)
        span.operationName = "\(method) \(answer.template)"
        span.updateAttributes { attributes in
            attributes["http.request.method"] = method == "other" ? "_OTHER" : method
            attributes["http.route"] = answer.template
            attributes["http.response.status_code"] = status
            attributes["countersign.request_id"] = arrival.originID.description
        }
        if status >= 500 { span.setStatus(SpanStatus(code: .error)) }
    }

    private static func split(_ target: String) -> (path: Substring, query: Substring) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return (parts[0], parts.count > 1 ? parts[1] : "")
    }

    private static func found(_ route: Route?, _ match: RouteTable.Match?) throws -> Route {
        if let tenant = match?.parameters["tenant"], !TenantID.isValid(tenant) {
            throw ServiceError(.notFound, "there is nothing here")
        }
        guard let match else { throw ServiceError(.notFound, "there is nothing here") }
        guard let route else {
            throw Problems.Refusal(
                error: ServiceError(.methodNotAllowed, "here one may \(match.allowed)"),
                headers: [.allow: match.allowed])
        }
        return route
    }

    // MARK: in

    private func inbound(
        _ request: Request, _ route: Route, path: Substring, query: Substring, parameters: [String: String],
        _ arrival: Arrival
    ) async throws -> Inbound {
        // RFC 9112 section 3.2. Checks of the process itself, which carry no name, are answered.
        guard parameters["tenant"] == nil || request.head.authority != nil else {
            throw ServiceError(.malformed, "the request has no Host")
        }
        let body = try await body(of: request, route, arrival.connection)
        return Inbound(
            method: request.method, path: String(path), query: try Query(query), headers: request.headers,
            parameters: parameters,
            body: body, upload: route.body == .upload ? request.body : nil, originID: arrival.originID,
            trace: arrival.trace, connection: arrival.connection,
            clientAddress: addresses.address(of: arrival.connection.peer, request.headers),
            receivedAt: arrival.at, callTimeout: edge.configuration.callTimeout)
    }

    private func body(of request: Request, _ route: Route, _ connection: Connection) async throws -> [UInt8] {
        guard route.body != .upload, request.method != .get, request.method != .head else { return [] }
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if let length, length > APILimits.bodyBytesMax { throw Self.tooLarge }
        if length != 0 { edge.bodies.expect(connection, within: edge.configuration.bodyTimeout) }
        connection.invite(request.headers)
        defer { edge.bodies.settle(connection) }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: APILimits.bodyBytesMax)
        } catch is NIOTooManyBytesError {
            throw Self.tooLarge
        } catch let error where !(error is CancellationError) {
            throw ServiceError(.malformed, "the body ends too early")
        }
        guard buffer.readableBytes > 0 else { return [] }
        try Self.check(ContentType.essence(request.headers[.contentType]), for: route)
        let bytes = Array(buffer.readableBytesView)
        // A body where none is expected must at least say nothing.
        if route.body == .none { try JSONBody.check(bytes, against: .members([:])) }
        return bytes
    }

    private static var tooLarge: ServiceError { ServiceError(.tooLarge, "a body has at most 64 KiB") }

    private static func check(_ type: String?, for route: Route) throws(ServiceError) {
        let allowed =
            switch route.body {
            case .none, .json: [APIMedia.json]
            case .mergePatch: [APIMedia.json, "application/merge-patch+json"]
            case .form: [APIMedia.form]
            case .upload: [APIMedia.csv, APIMedia.ndjson]
            }
        guard let type, allowed.contains(type) else {
            throw ServiceError(.unsupportedMediaType, "the body must be \(allowed.joined(separator: " or "))")
        }
    }

    // MARK: out

    /// What every reply says.
    static func complete(_ headers: inout HTTPFields, _ id: Domain.RequestID) {
        headers[.requestID] = id.description
        headers[.contentTypeOptions] = "nosniff"
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
    }

    private static func refusal(_ error: any Error) -> Problems.Refusal {
        switch error {
        case let error as ServiceError: Problems.Refusal(error: error, headers: [:])
        case let error as Problems.Refusal: error
        // Nobody is there to read it; the log says 503.
        case is CancellationError: Problems.Refusal(error: ServiceError(.unavailable), headers: [:])
        default: Problems.Refusal(error: ServiceError(.internal, "\(type(of: error))"), headers: [:])
        }
    }

    private static func problem(
        _ refusal: Problems.Refusal, _ route: Route?, _ id: Domain.RequestID, _ logger: Logger
    ) -> Reply {
        let error = refusal.error
        if error.code == .internal {
            logger.error("a request failed", metadata: ["requestId": "\(id)", "detail": "\(error.detail)"])
        }
        guard
            var reply = try? Problems.reply(
                to: error, at: route?.place ?? .elsewhere, requestID: id, challenge: route?.challenge)
        else {
            return Reply(.internalServerError)
        }
        for field in refusal.headers { reply.headers[field.name] = field.value }
        return reply
    }

    private func log(
        _ request: Request, _ path: Substring, _ reply: Reply, _ refusal: ServiceError?, _ arrival: Arrival,
        _ duration: Duration
    ) {
        let peer = arrival.connection.peer
        var metadata: Logger.Metadata =
            [
                "requestId": "\(arrival.originID)", "method": "\(request.method.rawValue)", "path": "\(path)",
                "status": "\(reply.status.code)",
                "microseconds":
                    "\(duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000)",
                "address": "\(addresses.address(of: peer, request.headers))",
                "scheme": "\(addresses.scheme(of: peer, request.headers, isTLS: edge.configuration.tls != nil))",
            ]
        if let refusal { metadata["code"] = "\(refusal.code.name)" }
        // Nobody behind has it in hand who could say why. Of a caller who has gone there is nothing to say, and of a full process too much.
        let isFault = refusal?.code == .unavailable && refusal?.isToldElsewhere == false && !Task.isCancelled
        if let refusal, refusal.code == .unavailable { metadata["error"] = "\(refusal.detail)" }
        edge.logger.log(level: isFault ? .warning : .info, "request answered", metadata: metadata)
    }

    private func response(_ reply: Reply, isHead: Bool, _ connection: Connection) -> Response {
        switch reply.body {
        case .none: return Response(status: reply.status, headers: reply.headers)
        case .bytes(let bytes):
            var headers = reply.headers
            headers[.contentLength] = String(bytes.count)
            return Response(
                status: reply.status, headers: headers,
                body: isHead ? .init() : .init(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let mailbox, let work):
            guard !isHead else {
                work.places.close()
                return Response(status: reply.status, headers: reply.headers)
            }
            return Response(
                status: reply.status, headers: reply.headers, body: Self.body(mailbox, work, over: connection))
        }
    }

    private static func body(_ mailbox: StreamMailbox, _ work: StreamWork, over connection: Connection)
        -> ResponseBody
    {
        ResponseBody { writer in
            let watch = await connection.watch()
            let token = watch?.onClose { mailbox.end() }
            // Its pipeline is empty: it has gone already.
            if watch == nil { mailbox.end() }
            var failure: (any Error)?
            await withDiscardingTaskGroup { group in
                group.addTask { await work.feed() }
                do {
                    while let buffer = await mailbox.next() { try await writer.write(buffer) }
                } catch {
                    failure = error
                }
                mailbox.end()
                group.cancelAll()
            }
            watch?.forget(token)
            work.places.close()
            if let failure { throw failure }
            try await writer.finish(nil)
        }
    }
}
