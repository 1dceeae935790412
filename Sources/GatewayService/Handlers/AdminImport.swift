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
    /// After so many bad lines the file is the wrong one.
    static let problemsMax = 10_000
    /// A batch hashes up to 500 passwords, one a core at a time.
    static let batchTimeout = Duration.seconds(300)

    let edge: Edge

    func run(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        guard let upload = inbound.upload else { throw ServiceError(.malformed, "the body is missing") }
        var reader = try Self.reader(of: inbound.headers)
        var report = ImportReport(created: 0, updated: 0, problems: [])
        var batch: [ImportLine] = []
        var size = 0
        var sent = 0

        func take(_ results: [ImportReader.Result]) async throws {
            for result in results {
                switch result {
                case .line(let line): batch.append(line)
                case .problem(let problem): report.problems.append(problem)
                }
                guard report.problems.count < Self.problemsMax else {
                    throw ServiceError(.invalidValue, "the file has too many bad lines")
                }
                if batch.count == Self.batchLines { try await flush() }
            }
        }
        func flush() async throws {
            guard !batch.isEmpty else { return }
            let lines = batch
            batch = []
            let reply = try await edge.caller.call(
                ImportUsers.with {
                    $0.tenant = inbound.tenant.rawValue
                    $0.lines = lines
                    $0.actor = actor
                    $0.requestID = inbound.originID.description
                }, Self.context(inbound, batch: sent))
            sent += 1
            report.created += Int(reply.created)
            report.updated += Int(reply.updated)
            report.problems += reply.problems.map {
                ImportProblemLine(line: Int($0.line), code: $0.code, detail: $0.detail)
            }
        }

        for try await buffer in upload {
            size += buffer.readableBytes
            guard size <= APILimits.importBytesMax else {
                throw ServiceError(.tooLarge, "an import has at most 64 MiB")
            }
            try await take(try reader.read(buffer.readableBytesView))
        }
        try await take(try reader.finish())
        try await flush()
        report.problems.sort { $0.line < $1.line }
        return try .json(.ok, report)
    }

    private static func reader(of headers: HTTPFields) throws(ServiceError) -> ImportReader {
        switch ContentType.essence(headers[.contentType]) {
        case APIMedia.csv: return ImportReader(.csv)
        case APIMedia.ndjson, "application/ndjson", "application/jsonl": return ImportReader(.ndjson)
        default: throw ServiceError(.unsupportedMediaType, "an import is text/csv or application/x-ndjson")
        }
    }

    /// Each batch has an id of its own, which follows from the request's.
    private static func context(_ inbound: Inbound, batch: Int) -> CallContext {
        inbound.context(wait: batchTimeout)
            .child(ImportUsers.method.id, index: UInt16(truncatingIfNeeded: batch >> 16))
            .child(ImportUsers.method.id, index: UInt16(truncatingIfNeeded: batch))
    }
}
