import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import Proofs
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The audit log: each service owns the rows of its changes, and here they become one list, newest first.
struct AdminAudit: Sendable {
    /// Where a page ended in one service's rows: its own cursor, and the last row that was given.
    private struct Position: Codable {
        var cursor = ""
        var lastID = ""
        var lastAt: Int64 = .max
        var isAtEnd = false
    }

    /// What one service gave: its rows after `start`, and its cursor for those that follow.
    private struct Part {
        let start: Position
        let entries: [AuditEntry]
        let next: String
    }

    /// Policy, registration, verifier.
    private static let sources = 3

    let edge: Edge

    /// `actor`, `action`, `target`, `from` and `to` narrow the list. Throws `malformed`.
    private static func filter(_ query: Query) throws(ServiceError) -> AuditFilter {
        let (from, to) = (try query.time("from"), try query.time("to"))
        return AuditFilter.with {
            $0.actor = query["actor"] ?? ""
            $0.action = query["action"] ?? ""
            $0.target = query["target"] ?? ""
            $0.fromMs = from?.milliseconds ?? 0
            $0.toMs = to?.milliseconds ?? 0
        }
    }

    func list(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let page = try inbound.query.page
        let start = try Self.positions(page.cursor)
        let filter = try Self.filter(inbound.query)
        let limit = Int(page.limit)
        let fetched = try await withThrowingTaskGroup(of: (Int, Part).self) { group in
            for (source, position) in start.enumerated() where !position.isAtEnd {
                group.addTask { (source, try await fetch(source, from: position, limit, filter, inbound)) }
            }
            return try await group.reduce(into: [Int: Part]()) { $0[$1.0] = $1.1 }
        }
        let given = Self.merged(fetched, limit)
        let next = start.indices.map { source in
            fetched[source].map { Self.position(after: given.filter { $0.source == source }.map(\.entry), of: $0) }
                ?? start[source]
        }
        let cursor = next.allSatisfy(\.isAtEnd) ? nil : try Self.cursor(next)
        let targets = await AuditTargets(of: given.map(\.entry), edge, inbound)
        let items = given.map { AuditDocument($0.entry, targets: targets.named(in: $0.entry)) }
        return try .json(.ok, Page(items: items, next: cursor))
    }

    /// The newest rows, each service's in its own order: those of one millisecond are told apart by nothing else.
    private static func merged(_ fetched: [Int: Part], _ limit: Int) -> [(source: Int, entry: AuditEntry)] {
        var rest = fetched.mapValues { $0.entries[...] }
        var given: [(source: Int, entry: AuditEntry)] = []
        while given.count < limit {
            // A service may give fewer rows than were asked for: what comes after its last one is not known yet.
            let isCut = rest.contains { source, rows in rows.isEmpty && fetched[source]?.next.isEmpty == false }
            let heads = rest.compactMap { source, rows in rows.first.map { (source: source, entry: $0) } }
            guard !isCut, let newest = heads.max(by: { ($0.entry.atMs, $0.source) < ($1.entry.atMs, $1.source) }) else {
                break
            }
            given.append(newest)
            rest[newest.source]?.removeFirst()
        }
        return given
    }

    /// The rows of a source that come after `position`, at most one page of them.
    private func fetch(
        _ source: Int, from position: Position, _ limit: Int, _ filter: AuditFilter, _ inbound: Inbound
    ) async throws -> Part {
        var position = position
        while true {
            let reply = try await ask(source, Self.page(position.cursor, limit), filter, inbound)
            var entries = reply.entries[...]
            if !position.lastID.isEmpty {
                // Rows that came since push what was given further down: go on after the last given one, wherever it is now.
                if let last = entries.firstIndex(where: { $0.id == position.lastID }) {
                    entries = entries[(last + 1)...]
                } else {
                    entries = entries.drop { $0.atMs > position.lastAt }
                }
            }
            if !entries.isEmpty || reply.next.isEmpty {
                return Part(start: position, entries: Array(entries), next: reply.next)
            }
            position.cursor = reply.next
        }
    }

    private static func page(_ cursor: String, _ limit: Int) -> PageQuery {
        PageQuery.with {
            $0.cursor = cursor
            $0.limit = UInt32(limit)
        }
    }

    private func ask(_ source: Int, _ page: PageQuery, _ filter: AuditFilter, _ inbound: Inbound) async throws
        -> ListAuditReply
    {
        let tenant = inbound.tenant.rawValue
        let (caller, context) = (edge.caller, inbound.context())
        switch source {
        case 0:
            return try await caller.call(
                ListPolicyAudit.with { ($0.tenant, $0.page, $0.filter) = (tenant, page, filter) }, context)
        case 1:
            return try await caller.call(
                ListDirectoryAudit.with { ($0.tenant, $0.page, $0.filter) = (tenant, page, filter) }, context)
        default:
            return try await caller.call(
                ListVerifierAudit.with { ($0.tenant, $0.page, $0.filter) = (tenant, page, filter) }, context)
        }
    }

    private static func position(after given: [AuditEntry], of part: Part) -> Position {
        if given.count == part.entries.count {
            var position = Position(cursor: part.next, isAtEnd: part.next.isEmpty)
            if let last = given.last { (position.lastID, position.lastAt) = (last.id, last.atMs) }
            return position
        }
        guard let last = given.last else { return part.start }
        return Position(cursor: part.start.cursor, lastID: last.id, lastAt: last.atMs)
    }

    private static func positions(_ cursor: String) throws(ServiceError) -> [Position] {
        guard !cursor.isEmpty else { return Array(repeating: Position(), count: sources) }
        guard let bytes = Base64URL.decode(cursor),
            let positions = try? JSONDecoder().decode([Position].self, from: Data(bytes)),
            positions.count == sources
        else { throw ServiceError(.malformed, "cursor is not one that this list gave") }
        return positions
    }

    private static func cursor(_ positions: [Position]) throws -> String {
        Base64URL.encode(try JSONWriter.bytes(of: positions))
    }
}

extension AuditDocument {
    init(_ entry: AuditEntry, targets: [AuditTarget]?) {
        self.init(
            id: entry.id, at: Timestamp(milliseconds: entry.atMs),
            actor: AuditActor(kind: entry.actor.kind, id: entry.actor.id, name: entry.actor.name), action: entry.action,
            target: entry.target, before: JSONBody.value(entry.beforeJson), after: JSONBody.value(entry.afterJson),
            requestId: entry.requestID.nonEmpty, targets: targets)
    }
}
