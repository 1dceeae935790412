import Domain
import Foundation
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension PolicyService {
    /// A merge patch of one document.
    private struct Change: Sendable {
        let tenant: TenantID
        let patch: [UInt8]
        let ifMatch: String
        let audit: AuditTrail
    }

    func readDocument(_ kind: DocumentKind, of tenant: String) async throws -> DocumentReply {
        let id = TenantID(tenant)
        return try await store.read { DocumentReply(try kind.document(of: $0.existing(id))) }
    }

    func changeSettings(_ request: ChangeSettings, _ context: HandlerContext) async throws -> DocumentReply {
        let id = TenantID(request.tenant)
        let change = Change(
            tenant: id, patch: Array(request.mergePatch), ifMatch: request.ifMatch,
            audit: audit(id, request.actor, context))
        return try await committed(.changeSettings) { [self] in
            try await once.run(request, context) { records in
                try Self.apply(change, to: .settings, records) { _, _ in }
            }
        }
    }

    /// Targets that the patch adds must exist; those that the document named before are not asked about again, so that a directory
    /// from which one has gone, or that cannot be reached, never stops an administrator from switching something off.
    func changePolicy(_ request: ChangePolicyDocument, _ context: HandlerContext) async throws -> DocumentReply {
        let id = TenantID(request.tenant)
        let change = Change(
            tenant: id, patch: Array(request.mergePatch), ifMatch: request.ifMatch,
            audit: audit(id, request.actor, context))
        let targets = await checkedTargets(change.patch, of: id, context)
        return try await committed(.changePolicy) { [self] in
            try await once.run(request, context) { records in
                try Self.apply(change, to: .policy, records) { try targets.check(added: Self.added($0, $1)) }
            }
        }
    }

    /// Reads, rules and writes in one transaction. `check` sees the document before and after.
    private static func apply(
        _ change: Change, to kind: DocumentKind, _ records: any PolicyRecords,
        check: (JSONValue, JSONValue) throws -> Void
    ) throws -> DocumentReply {
        let tenant = try records.existing(change.tenant)
        let before = try kind.document(of: tenant)
        guard !change.ifMatch.isEmpty else {
            throw ServiceError(.preconditionRequired, "If-Match with the document's ETag is required")
        }
        try EntityTag.check(change.ifMatch, current: before.entityTag)
        let after = try kind.merging(change.patch, into: before)
        try check(before, after)
        guard after != before else { return DocumentReply(before) }

        let revision = try records.nextRevision()
        try records.replace(
            kind.record, of: change.tenant, with: StoredDocument(json: after.canonicalText, revision: revision),
            expecting: kind.stored(in: tenant).revision)
        try change.audit.append(kind.action, target: kind.target, before: before, after: after, to: records)
        return DocumentReply(after)
    }

    /// Targets that `after` names and `before` does not.
    static func added(_ before: JSONValue, _ after: JSONValue) throws -> [(
        path: String, target: AuthenticatorPolicy.Target
    )] {
        let known = Set(try AuthenticatorPolicy(document: before).namedTargets.map(\.target))
        return try AuthenticatorPolicy(document: after).namedTargets.filter { !known.contains($0.target) }
    }

    /// Asks registration, before the transaction, about the targets that the change would add. Whatever else is wrong with the
    /// change is left to the transaction, which rules on the document as it is then, and which a repeat of the request never enters.
    func checkedTargets(_ patch: [UInt8], of tenant: TenantID, _ context: HandlerContext) async -> CheckedTargets {
        do {
            let added = try await store.read { records -> [AuthenticatorPolicy.Target] in
                let before = try DocumentKind.policy.document(of: records.existing(tenant))
                return try Self.added(before, DocumentKind.policy.merging(patch, into: before)).map(\.target)
            }
            guard !added.isEmpty else { return CheckedTargets() }
            let request = CheckTargets.with {
                $0.tenant = tenant.rawValue
                $0.personIds = added.filter { $0.targetType == .user }.map(\.id)
                $0.groupIds = added.filter { $0.targetType == .group }.map(\.id)
            }
            let reply = try await caller.call(request, context.call.child(CheckTargets.method.id))
            let people = reply.unknownPersonIds.map { AuthenticatorPolicy.Target(targetType: .user, id: $0) }
            let groups = reply.unknownGroupIds.map { AuthenticatorPolicy.Target(targetType: .group, id: $0) }
            return CheckedTargets(asked: Set(added), unknown: Set(people).union(groups))
        } catch let error as ServiceError {
            return CheckedTargets(failure: error)
        } catch {
            return CheckedTargets(failure: ServiceError(.unavailable, "try again", retryAfter: .seconds(1)))
        }
    }
}

/// What registration said of some targets.
struct CheckedTargets: Sendable {
    var asked: Set<AuthenticatorPolicy.Target> = []
    var unknown: Set<AuthenticatorPolicy.Target> = []
    /// Why it could not be asked.
    var failure: ServiceError?

    func check(added: [(path: String, target: AuthenticatorPolicy.Target)]) throws {
        for (path, target) in added {
            if let failure { throw failure }
            if unknown.contains(target) {
                let kind = target.targetType == .user ? "person" : "group"
                throw ServiceError(
                    .unknownTarget, "\(path) names a \(kind) that does not exist: \(target.id)",
                    members: ["member": path, "target": target.id])
            }
            guard asked.contains(target) else {
                throw ServiceError(.conflict, "the document changed meanwhile: read it again")
            }
        }
    }
}

extension DocumentReply {
    init(_ document: JSONValue) {
        self.init()
        json = Data(document.canonicalText.utf8)
        etag = document.entityTag
    }
}

extension JSONValue {
    /// Of its content, however it is written.
    var entityTag: String { EntityTag.of(Array(canonicalText.utf8)) }
}
