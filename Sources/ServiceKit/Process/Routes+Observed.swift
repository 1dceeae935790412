import Domain
import Failpoints
package import Logging
package import Messaging
import Storage
package import Telemetry
import Wire

extension Routes {
    /// The same table with every handler measured and every failure logged once, where it happened; failures of storage and secrets
    /// become codes.
    package func observed(_ metrics: MetricsRegistry, _ logger: Logger) -> Routes {
        let handled = metrics.histogram(
            "countersign_handler_duration_seconds",
            help: "Time from a request's arrival at its handler, or from the end of its wait, to its reply, by method.",
            labels: ["method"])
        let requests = metrics.counter(
            "countersign_handler_requests_total", help: "Requests handled, by method and code of the reply.",
            labels: ["method", "code"])
        let running = metrics.gauge(
            "countersign_handler_running", help: "Requests being handled, by method.", labels: ["method"])
        return mapHandlers { method, handle in
            { body, context in
                let start = ContinuousClock.now
                let origin = TransactionOrigin(method: method.name, requestID: context.call.originID)
                var code = "ok"
                running.add(1, method.name)
                defer {
                    running.add(-1, method.name)
                    requests.increment(method.name, code)
                    // A parked request lasts as long as nothing happens, which says nothing about the service; what it does then does.
                    if let began = method.wait == .ordinary ? start : origin.workBegan {
                        handled.observe(.now - began, method.name)
                    }
                }
                do {
                    let reply = try await TransactionOrigin.$current.withValue(origin) {
                        try await Failpoint.passing(method.name) { try await handle(body, context) }
                    }
                    logger.log(servedIn: origin, of: method, context)
                    return reply
                } catch {
                    let failure = ServiceError(cause: error)
                    code = failure.code.name
                    logger.log(failure, cause: error, in: origin, metadata: method.metadata(context))
                    throw failure
                }
            }
        }
    }
}

extension Method {
    /// Whether processes ask it by themselves, again and again, to hear what changes.
    fileprivate var isFollowing: Bool { [WatchPolicy.method, WatchDevices.method, Listen.method].contains(self) }

    fileprivate func metadata(_ context: HandlerContext) -> Logger.Metadata {
        ["method": "\(name)", "requestId": "\(context.call.originID)", "caller": "\(context.caller.rawValue)"]
    }
}

extension Logger {
    /// Where the id of a request is, the request was. What no request asked for would drown the others.
    fileprivate func log(servedIn origin: TransactionOrigin, of method: Method, _ context: HandlerContext) {
        let metadata = method.metadata(context)
        // The handler went on without what it wanted to write.
        if let run = origin.end() { log(run, of: metadata) }
        // Its caller was told that it was not answered in time, and that is told here.
        if method.wait == .ordinary, context.call.deadline <= .now {
            return warning("request handled too late", metadata: metadata)
        }
        log(level: method.isFollowing ? .debug : .info, "request handled", metadata: metadata)
    }

    /// A refusal is everyday; what keeps the service from working is an operator's business, with what ended its transaction. What another
    /// process tells is only carried on here.
    fileprivate func log(
        _ failure: ServiceError, cause: any Error, in origin: TransactionOrigin, metadata: Logger.Metadata
    ) {
        let run = origin.end()
        var metadata = metadata
        metadata["code"] = "\(failure.code.name)"
        let sentence: Logger.Message =
            switch failure.code {
            case .internal: "request failed"
            case .unavailable, .overloaded: "request not served"
            default: "request refused"
            }
        guard failure.isFault, !failure.isToldElsewhere else {
            if let run { log(run, of: metadata) }
            return info(sentence, metadata: metadata)
        }
        metadata["error"] = "\(cause)"
        metadata.merge(run?.metadata ?? [:]) { $1 }
        log(level: failure.code == .internal ? .error : .warning, sentence, metadata: metadata)
    }
}

extension ServiceError {
    /// Whether the service did not do what it should, whoever asked.
    fileprivate var isFault: Bool { [.internal, .unavailable, .overloaded].contains(code) }
}
