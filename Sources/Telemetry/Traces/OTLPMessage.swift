import Domain
import Foundation
import Tracing

/// Which process spans come from (OpenTelemetry semantic conventions, service).
package struct OTLPResource: Sendable {
    let service: String
    let instance: String
    let version: String

    /// `service` is what collectors list, as in `countersign-policy`.
    package init(service: String, instance: String, version: String) {
        self.service = service
        self.instance = instance
        self.version = version
    }
}

/// `ExportTraceServiceRequest` of OTLP 1, as JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids are
/// hexadecimal, 64-bit numbers are text, enums are numbers.
struct OTLPMessage: Encodable {
    struct ResourceSpans: Encodable {
        let resource: Resource
        let scopeSpans: [ScopeSpans]
    }
    struct Resource: Encodable { let attributes: [Attribute] }
    struct ScopeSpans: Encodable {
        let scope: Scope
        let spans: [Span]
    }
    struct Scope: Encodable {
        let name: String
        let version: String
    }
    struct Attribute: Encodable {
        let key: String
        let value: Value
    }
    struct Value: Encodable {
        var stringValue: String?
        var intValue: String?
        var doubleValue: Double?
        var boolValue: Bool?
    }
    struct Event: Encodable {
        let timeUnixNano: String
        let name: String
        let attributes: [Attribute]
    }
    struct Link: Encodable {
        let traceId: String
        let spanId: String
        let attributes: [Attribute]
    }
    struct Status: Encodable {
        let code: Int
        let message: String?
    }
    struct Span: Encodable {
        let traceId: String
        let spanId: String
        let parentSpanId: String?
        let flags: Int
        let name: String
        let kind: Int
        let startTimeUnixNano: String
        let endTimeUnixNano: String
        let attributes: [Attribute]
        let events: [Event]
        let droppedEventsCount: Int
        let links: [Link]
        let droppedLinksCount: Int
        let status: Status
    }

    let resourceSpans: [ResourceSpans]

    init(_ process: OTLPResource, _ records: [RecordedSpan.Record]) {
        let attributes: SpanAttributes = [
            "service.name": .string(process.service), "service.instance.id": .string(process.instance),
            "service.version": .string(process.version),
        ]
        let scope = Scope(name: "countersign", version: process.version)
        resourceSpans = [
            ResourceSpans(
                resource: Resource(attributes: Attribute.list(attributes)),
                scopeSpans: [ScopeSpans(scope: scope, spans: records.map(Span.init))])
        ]
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return Array(try encoder.encode(self))
    }
}

extension OTLPMessage.Span {
    init(_ record: RecordedSpan.Record) {
        traceId = record.place.traceID
        spanId = record.place.spanID
        parentSpanId = record.parent?.hexadecimal
        flags = record.place.isSampled ? 1 : 0
        name = record.name
        kind =
            switch record.kind {
            case .internal: 1
            case .server: 2
            case .client: 3
            case .producer: 4
            case .consumer: 5
            }
        startTimeUnixNano = String(record.start)
        endTimeUnixNano = String(record.end)
        attributes = OTLPMessage.Attribute.list(record.attributes)
        events = record.events.map { event in
            OTLPMessage.Event(
                timeUnixNano: String(event.nanoseconds), name: event.name,
                attributes: OTLPMessage.Attribute.list(event.attributes))
        }
        droppedEventsCount = record.droppedEvents
        links = record.links.map { link in
            OTLPMessage.Link(
                traceId: link.place.traceID, spanId: link.place.spanID,
                attributes: OTLPMessage.Attribute.list(link.attributes))
        }
        droppedLinksCount = record.droppedLinks
        status = OTLPMessage.Status(record.status)
    }
}

extension OTLPMessage.Status {
    init(_ status: SpanStatus?) {
        switch status?.code {
        case nil: code = 0
        case .ok: code = 1
        case .error: code = 2
        }
        message = status?.message
    }
}

extension OTLPMessage.Attribute {
    /// In the order of their names.
    static func list(_ attributes: SpanAttributes) -> [OTLPMessage.Attribute] {
        var list: [OTLPMessage.Attribute] = []
        // swift-format-ignore: ReplaceForEachWithForLoop
        attributes.forEach { name, value in list.append(.init(key: name, value: OTLPMessage.Value(value))) }
        return list.sorted { $0.key < $1.key }
    }
}

extension OTLPMessage.Value {
    /// Lists, which no span of ours has, become text.
    init(_ value: SpanAttribute) {
        switch value {
        case .int32(let number): intValue = String(number)
        case .int64(let number): intValue = String(number)
        case .double(let number): doubleValue = number
        case .bool(let flag): boolValue = flag
        case .string(let text): stringValue = text
        case .stringConvertible(let convertible): stringValue = convertible.description
        default: stringValue = "\(value)"
        }
    }
}
