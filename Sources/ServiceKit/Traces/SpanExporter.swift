import AsyncHTTPClient
import Domain
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Telemetry

/// Posts ended spans to a collector as OTLP JSON over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), until shutdown and
/// then once more. Nothing waits for it: a collector that is slow or away costs spans, never a sign-in.
struct SpanExporter: Service {
    /// How often a message is sent at most, and the pauses between.
    private static let attemptsMax = 5
    private static let pauses = (first: Duration.milliseconds(500), longest: Duration.seconds(10))
    private static let replyBytesMax = 64 * 1_024

    private enum Outcome: String { case exported, refused, failed }

    private let configuration: TraceConfiguration
    private let resource: OTLPResource
    private let queue: SpanQueue
    /// Advances when there are enough spans for a message.
    private let batches: ChangeSignal
    private let logger: Logger
    private let spans: Counter
    private let exports: Histogram

    init(
        _ configuration: TraceConfiguration, _ resource: OTLPResource, queue: SpanQueue, batches: ChangeSignal,
        metrics: MetricsRegistry, logger: Logger
    ) {
        self.configuration = configuration
        self.resource = resource
        self.queue = queue
        self.batches = batches
        self.logger = logger
        spans = metrics.counter(
            "countersign_trace_spans_total", help: "Spans that left the queue, by what became of them.",
            labels: ["outcome"])
        exports = metrics.histogram(
            "countersign_trace_export_duration_seconds", help: "Time of one message to the collector.")
        metrics.gauge("countersign_trace_queue_spans", help: "Spans that wait for the collector.") {
            Double(queue.count)
        }
        metrics.counter("countersign_trace_dropped_spans_total", help: "Spans that found no room in the queue.") {
            Double(queue.dropped)
        }
    }

    func run() async throws {
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // The time in which spans gather.
                _ = await batches.wait(past: batches.count) { try await Task.sleep(for: configuration.interval) }
                await export(with: client, attemptsMax: Self.attemptsMax)
            }
        }
        // What ended last, in one attempt: a process that stops waits for no collector that is away.
        await export(with: client, attemptsMax: 1)
        try? await client.shutdown()
    }

    /// Sends what there is, message by message.
    private func export(with client: HTTPClient, attemptsMax: Int) async {
        do {
            while let (message, count) = try queue.take(from: resource) {
                let outcome = await send(message, with: client, attemptsMax: attemptsMax)
                spans.increment(by: count, outcome.rawValue)
                guard outcome == .exported else { return }
            }
        } catch {
            logger.error("spans cannot be encoded", metadata: ["error": "\(error)"])
        }
    }

    private func send(_ message: [UInt8], with client: HTTPClient, attemptsMax: Int) async -> Outcome {
        var backOff = BackOff(first: Self.pauses.first, longest: Self.pauses.longest)
        for attempt in 1...attemptsMax {
            // Cancelled by a shutdown, which lets go of what the collector has not taken.
            if attempt > 1, (try? await Task.sleep(for: backOff.next())) == nil { break }
            let start = ContinuousClock.now
            // A task of its own, so that a shutdown does not cut off what is under way; its timeout ends it.
            let status = await Task { await post(message, with: client) }.value
            exports.observe(.now - start)
            switch status {
            case .some(let status) where (200..<300).contains(status.code): return .exported
            // Only these may be sent again (OTLP/HTTP, retryable response codes), and what nobody answered.
            case nil, .tooManyRequests, .badGateway, .serviceUnavailable, .gatewayTimeout: continue
            case .some(let status):
                logger.warning("the collector refuses spans", metadata: ["status": "\(status.code)"])
                return .refused
            }
        }
        logger.warning("the collector does not take spans", metadata: ["endpoint": "\(configuration.endpoint)"])
        return .failed
    }

    /// The status of the reply; nil when there was none.
    private func post(_ message: [UInt8], with client: HTTPClient) async -> HTTPResponseStatus? {
        var request = HTTPClientRequest(url: configuration.endpoint)
        request.method = .POST
        request.headers = ["Content-Type": "application/json"]
        request.body = .bytes(ByteBuffer(bytes: message))
        do {
            let response = try await client.execute(
                request, timeout: .milliseconds(configuration.timeout.milliseconds))
            _ = try await response.body.collect(upTo: Self.replyBytesMax)
            return response.status
        } catch {
            return nil
        }
    }
}
