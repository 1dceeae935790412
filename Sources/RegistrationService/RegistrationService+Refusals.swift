import Domain
import Logging
import Messaging
import ServiceKit
import Storage
import Synchronization
import Wire

/// What a password or a pass is shown for, and where that comes from.
struct CredentialUse: Sendable {
    enum Purpose: String {
        case session, code, phoneSignInSetup
    }

    let purpose: Purpose
    /// The public id of the request that it came with.
    let requestID: String
    /// Empty where the asking service does not say.
    let place: Wire.RequestContext

    init(_ purpose: Purpose, _ context: HandlerContext, from place: Wire.RequestContext = Wire.RequestContext()) {
        self.purpose = purpose
        requestID = context.call.originID.description
        self.place = place
    }
}

/// What the audit log tells of a refused credential.
struct RefusedCredential: Sendable {
    let username: String
    let credential: RegistrationMetrics.Credential
    let use: CredentialUse
}

extension RegistrationService {
    /// Remembers that a credential of this person was refused. It only reaches the store later: nothing about the reply tells that the
    /// person exists.
    func refused(
        _ credential: RegistrationMetrics.Credential, of person: StoredPerson, at time: Timestamp, _ use: CredentialUse
    ) {
        let refusal = RefusedCredential(username: person.username, credential: credential, use: use)
        let isKept = refusals.withLock {
            $0.add(refusal, of: .init(tenant: person.tenant, person: person.id), at: time)
        }
        if isKept { refusalsChanged.advance() } else { logger.warning("refused credential not in the audit log") }
    }

    /// Writes what was refused to the audit log, each when it is due, until the task is cancelled.
    func writeRefusals() async {
        while !Task.isCancelled {
            let seen = refusalsChanged.count
            await writeDueRefusals()
            if let due = refusals.withLock(\.nextDue) {
                await refusalsChanged.wait(past: seen, atMost: max(due - now(), .milliseconds(1)))
            } else {
                await refusalsChanged.wait(past: seen)
            }
        }
    }

    package func writeDueRefusals() async {
        let now = now()
        await write(refusals.withLock { $0.takeDue(at: now) })
    }

    /// What is not due yet: nothing of it may be lost when the process ends.
    func writeLastRefusals() async { await write(refusals.withLock { $0.takeAll() }) }

    private func write(_ entries: [RefusalLedger<RefusedCredential>.Entry]) async {
        guard !entries.isEmpty else { return }
        let now = now()
        do {
            try await store.write { records in
                for entry in entries { try records.append(AuditRecord(entry, at: now)) }
            }
        } catch {
            logger.warning(
                "refused credentials not written to the audit log",
                metadata: ["entries": "\(entries.count)", "error": "\(error)"])
        }
    }
}

extension AuditRecord {
    /// By nobody that is known: whoever it was did not prove to be the person.
    fileprivate init(_ entry: RefusalLedger<RefusedCredential>.Entry, at time: Timestamp) {
        let refusal = entry.latest
        let document = refusal.use.place.auditMembers.merging([
            "username": .string(refusal.username), "count": .integer(Int64(entry.count)),
            "method": refusal.credential == .pass ? "temporaryAccessPass" : "password",
            "purpose": .string(refusal.use.purpose.rawValue), "firstAt": .string(entry.firstAt.description),
            "lastAt": .string(entry.lastAt.description),
        ]) { $1 }
        self.init(
            tenant: entry.subject.tenant, at: time, actorKind: "unknown", actorID: "", actorName: "",
            action: "password.refuse", target: entry.subject.person.rawValue,
            afterJSON: JSONValue.object(document).canonicalText, requestID: refusal.use.requestID)
    }
}

extension Wire.RequestContext {
    /// Null where nothing was said.
    var auditMembers: [String: JSONValue] {
        [
            "ipAddress": ipAddress.isEmpty ? .null : .string(ipAddress),
            "userAgent": userAgent.isEmpty ? .null : .string(userAgent),
        ]
    }
}
