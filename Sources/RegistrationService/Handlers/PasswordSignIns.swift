import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

// Sessions that a password or a pass opened by itself are in no sign-in log: the person finds them in the audit log's entries.

/// What the audit log calls what becomes of sessions.
enum SessionAction {
    static let open = "session.open"
    /// Without a phone or its code. A kind of its own: others' number must not keep these from being found.
    static let openByCredential = "session.open.credential"
    static let endOthers = "session.end-others"
    static let report = "session.report"
}

extension RegistrationService {
    /// Of the person's newest entries of one kind, so many are looked through.
    private static let sessionEntriesMax = 200

    func listPasswordSignIns(_ request: ListPasswordSignIns, _ context: HandlerContext) async throws
        -> ListPasswordSignInsReply
    {
        let (tenant, limit) = (TenantID(request.tenant), Int(request.limit))
        guard (1...Self.sessionEntriesMax).contains(limit) else {
            throw ServiceError(.malformed, "limit is 1 to \(Self.sessionEntriesMax)")
        }
        return try await store.read { records in
            func newest(_ action: String) throws -> [AuditRecord] {
                try records.sessionEntries(
                    action, of: PersonID(request.personID), tenant: tenant, limit: Self.sessionEntriesMax)
            }
            // Earlier versions wrote one action for every session that was opened.
            let earlier = try newest(SessionAction.open).filter { $0.action == SessionAction.open }
            let opened = try (newest(SessionAction.openByCredential) + earlier).sorted { $0.sequence > $1.sequence }
            let reported = Set(try newest(SessionAction.report).compactMap { $0.after?["session"]?.text })
            return ListPasswordSignInsReply.with {
                $0.signIns = opened.compactMap { PasswordSignIn($0, reported: reported) }.prefix(limit).map(\.self)
            }
        }
    }

    /// Throws `notFound` for what is no such sign-in of this person.
    func reportPasswordSignIn(_ request: ReportPasswordSignIn, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            let person = try change.records.needPerson(request.personID, tenant: tenant)
            guard let signIn = try change.records.passwordSignIn(request.id, of: person) else {
                throw ServiceError(.notFound, "no such sign-in")
            }
            try Self.endOthers(of: person, than: Array(request.tokenDigest), change)
            try change.audit(
                .person(person), SessionAction.report, tenant: tenant, target: person.id.rawValue,
                after: [
                    "username": .string(person.username), "session": .string(signIn.id),
                    "openedAt": .string(Timestamp(milliseconds: signIn.atMs).description),
                ])
            return Wire.Empty()
        }
    }
}

extension RegistrationRecords {
    fileprivate func sessionEntries(
        _ action: String, of person: PersonID, tenant: TenantID, before: Int64? = nil, limit: Int
    ) throws -> [AuditRecord] {
        var filter = Storage.AuditFilter()
        (filter.action, filter.target) = (action, person.rawValue)
        return try auditEntries(tenant: tenant, filter, before: before, limit: limit)
    }

    fileprivate func passwordSignIn(_ id: String, of person: StoredPerson) throws -> PasswordSignIn? {
        guard let sequence = Int64(id.split(separator: "-").last ?? ""), sequence < .max else { return nil }
        let entry = try sessionEntries(
            SessionAction.open, of: person.id, tenant: person.tenant, before: sequence + 1, limit: 1
        ).first
        return entry.flatMap { PasswordSignIn($0) }.flatMap { $0.id == id ? $0 : nil }
    }
}

extension PasswordSignIn {
    /// Nil for an entry that is about something else, or about a session that a phone opened.
    fileprivate init?(_ record: AuditRecord, reported: Set<String> = []) {
        guard [SessionAction.openByCredential, SessionAction.open].contains(record.action), let after = record.after
        else { return nil }
        let isPass = after["byPass"]?.flag ?? false
        guard isPass || after["method"] == "password" else { return nil }
        let entry = AuditEntry(record, of: .registration)
        self = .with {
            $0.id = entry.id
            $0.atMs = entry.atMs
            $0.byPass = isPass
            $0.context.ipAddress = after["ipAddress"]?.text ?? ""
            $0.context.userAgent = after["userAgent"]?.text ?? ""
            $0.reported = reported.contains(entry.id)
        }
    }
}

extension AuditRecord {
    fileprivate var after: JSONValue? { try? JSONValue(parsing: afterJSON) }
}
