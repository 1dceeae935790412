import Synchronization
package import Tracing

/// One span while it is open. What is set after its end is lost, as the API asks.
package final class RecordedSpan: Span {
    /// How many attributes, events and links a span keeps; the rest is counted.
    static let partsMax = 64

    /// What a collector gets.
    struct Record: Sendable {
        struct Event: Sendable {
            let name: String
            let nanoseconds: UInt64
            let attributes: SpanAttributes
        }

        struct Link: Sendable {
            let place: Traceparent
            let attributes: SpanAttributes
        }

        let place: Traceparent
        /// Nil for the first span of a trace.
        let parent: UInt64?
        let kind: SpanKind
        /// Nanoseconds since 1970.
        let start: UInt64
        var end: UInt64 = 0
        var name: String
        var attributes: SpanAttributes = [:]
        var events: [Event] = []
        var links: [Link] = []
        var droppedEvents = 0
        var droppedLinks = 0
        var status: SpanStatus?
    }

    /// The span's own place in its trace, which its children name as theirs.
    package let place: Traceparent
    private let record: Mutex<Record?>
    private let finish: @Sendable (Record) -> Void

    init(_ record: Record, finish: @escaping @Sendable (Record) -> Void) {
        place = record.place
        self.record = Mutex(record)
        self.finish = finish
    }

    package var context: InstrumentationContext {
        var context = InstrumentationContext(parent: place)
        context.span = self
        return context
    }

    package var isRecording: Bool { record.withLock { $0 != nil } }

    package var operationName: String {
        get { record.withLock { $0?.name ?? "" } }
        set { record.withLock { $0?.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { record.withLock { $0?.attributes ?? [:] } }
        set { if newValue.count <= Self.partsMax { record.withLock { $0?.attributes = newValue } } }
    }

    package func setStatus(_ status: SpanStatus) { record.withLock { $0?.status = status } }

    package func addEvent(_ event: SpanEvent) {
        append(.init(name: event.name, nanoseconds: event.nanosecondsSinceEpoch, attributes: event.attributes))
    }

    /// Names the error's type alone: what it says may hold what must not leave the process.
    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var attributes = attributes
        attributes["exception.type"] = String(describing: type(of: error))
        append(.init(name: "exception", nanoseconds: instant().nanosecondsSinceEpoch, attributes: attributes))
    }

    package func addLink(_ link: SpanLink) {
        guard let place = link.context.traceparent else { return }
        self.link(to: place, link.attributes)
    }

    /// Names a span of another trace that this one has to do with.
    package func link(to place: Traceparent, _ attributes: SpanAttributes = [:]) {
        record.withLock { record in
            guard let links = record?.links, links.count < Self.partsMax else {
                record?.droppedLinks += 1
                return
            }
            record?.links.append(.init(place: place, attributes: attributes))
        }
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let end = instant().nanosecondsSinceEpoch
        let ended = record.withLock { record in
            defer { record = nil }
            return record
        }
        guard var ended else { return }
        ended.end = max(end, ended.start)
        finish(ended)
    }

    private func append(_ event: Record.Event) {
        record.withLock { record in
            guard let events = record?.events, events.count < Self.partsMax else {
                record?.droppedEvents += 1
                return
            }
            record?.events.append(event)
        }
    }
}
