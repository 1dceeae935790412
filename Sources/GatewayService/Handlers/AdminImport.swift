import DeviceAPI
import Domain
import HTTPTypes
import Hummingbird
import Messaging
import NIOCore
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `POST …/admin/users:import`: CSV or NDJSON, read as it comes, handed to registration in batches.
struct AdminImport: Sendable {
    static let batchLines = 500
    /// Of all lines of a batch together: it travels as one message.
    static let batchBytes = 131_072
    /// A batch hashes up to 500 passwords, one a core at a time.
    static let batchTimeout = Duration.seconds(300)

    let edge: Edge

    func run(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        guard let upload = inbound.upload else { throw ServiceError(.malformed, "the body is missing") }
        if let length = inbound.headers[.contentLength].flatMap({ Int($0) }), length > APILimits.importBytesMax {
            throw UploadPieces.tooLarge
        }
        let effect = try edge.effect(inbound, by: "\(actor.kind):\(actor.id)")
        var reader = try Self.reader(of: inbound.headers)
        var report = ImportTally()
        var batch: [ImportLine] = []
        var bytes = 0
        var sent = 0

        func take(_ results: [ImportReader.Result]) async throws {
            for result in results {
                switch result {
                case .line(let line):
                    let size = try line.serializedData().count
                    if bytes + size > Self.batchBytes || batch.count == Self.batchLines { try await flush() }
                    batch.append(line)
                    bytes += size
                case .problem(let problem): report.add(problem)
                }
            }
        }
        func flush() async throws {
            guard !batch.isEmpty else { return }
            let lines = batch
            (batch, bytes) = ([], 0)
            report.add(
                try await edge.caller.call(
                    ImportUsers.with {
                        $0.tenant = inbound.tenant.rawValue
                        $0.lines = lines
                        $0.actor = actor
                        $0.requestID = effect.description
                    }, Self.context(inbound, effect, batch: sent)))
            sent += 1
        }

        inbound.connection.invite(inbound.headers)
        var pieces = UploadPieces(upload, inbound.connection, edge)
        while let buffer = try await pieces.next() { try await take(try reader.read(buffer.readableBytesView)) }
        try await take(try reader.finish())
        try await flush()
        return try .json(.ok, report.report)
    }

    private static func reader(of headers: HTTPFields) throws(ServiceError) -> ImportReader {
        switch ContentType.essence(headers[.contentType]) {
        case APIMedia.csv: return ImportReader(.csv)
        case APIMedia.ndjson, "application/ndjson", "application/jsonl": return ImportReader(.ndjson)
        default: throw ServiceError(.unsupportedMediaType, "an import is text/csv or application/x-ndjson")
        }
    }

    /// Each batch has an id of its own, which follows from the effect's: a repeat of the same upload cuts the same batches, and gets
    /// the replies that they had.
    private static func context(_ inbound: Inbound, _ effect: Domain.RequestID, batch: Int) -> CallContext {
        inbound.context(effect, wait: batchTimeout)
            .child(ImportUsers.method.id, index: UInt16(truncatingIfNeeded: batch >> 16))
            .child(ImportUsers.method.id, index: UInt16(truncatingIfNeeded: batch))
    }
}

/// An upload as it comes, no larger than it may be and no slower: only the waiting for the peer counts.
private struct UploadPieces {
    private var iterator: RequestBody.AsyncIterator
    private let connection: Connection
    private let bodies: BodyDeadlines
    private var left: Duration
    private var size = 0

    init(_ upload: RequestBody, _ connection: Connection, _ edge: Edge) {
        iterator = upload.makeAsyncIterator()
        self.connection = connection
        bodies = edge.bodies
        left = edge.configuration.importTimeout
    }

    static var tooLarge: ServiceError { ServiceError(.tooLarge, "an import has at most 64 MiB") }

    /// Nil at the end. Throws `too_large`, and `malformed` when the connection ends before the body.
    mutating func next() async throws -> ByteBuffer? {
        let started = ContinuousClock.now
        bodies.expect(connection, within: left)
        defer {
            bodies.settle(connection)
            left = max(.zero, left - (ContinuousClock.now - started))
        }
        let piece: ByteBuffer?
        do {
            piece = try await iterator.next()
        } catch let error where !(error is CancellationError) {
            throw ServiceError(.malformed, "the body ends too early")
        }
        size += piece?.readableBytes ?? 0
        guard size <= APILimits.importBytesMax else { throw Self.tooLarge }
        return piece
    }
}
