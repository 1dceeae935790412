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

/// A credential that was refused, of somebody who exists.
struct RefusedCredential: CountedRefusal {
    /// What has an entry of its own, so that no guess of another kind stands for others.
    struct Subject: Hashable {
        let tenant: TenantID
        let person: PersonID
        let credential: RegistrationMetrics.Credential
        let purpose: CredentialUse.Purpose
    }

    let subject: Subject
    let username: String
    let use: CredentialUse
    let at: Timestamp

    var hasPlace: Bool { !use.place.ipAddress.isEmpty }

    init(
        _ credential: RegistrationMetrics.Credential, of person: StoredPerson, for use: CredentialUse,
        at time: Timestamp
    ) {
        subject = Subject(tenant: person.tenant, person: person.id, credential: credential, purpose: use.purpose)
        username = person.username
        self.use = use
        at = time
    }
}

extension RegistrationService {
    /// Remembers a refusal; nil is one of nobody. It only reaches the store later: nothing about the reply tells that the person exists.
    func refused(_ refusal: RefusedCredential?) {
        guard let refusal else { return }
        let leftOut = refusals.withLock { ledger in
            if ledger.add(refusal) { return 0 }
            return ledger.takeLeftOut(at: refusal.at)
        }
        refusalsChanged.advance()
        if leftOut > 0 {
            logger.warning("refused credentials not in the audit log", metadata: ["refusals": "\(leftOut)"])
        }
    }

    /// Writes what was refused to the audit log, each when it is due, until the task is cancelled.
    func writeRefusals() async {
        while !Task.isCancelled {
            let seen = refusalsChanged.count
            await writeDueRefusals()
            await refusalsChanged.wait(past: seen, until: refusals.withLock(\.nextDue), now: now())
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
            refusals.withLock { $0.putBack(entries, at: now) }
            logger.warning(
                "refused credentials not written to the audit log",
                metadata: ["entries": "\(entries.count)", "error": "\(error)"])
        }
    }
}

extension AuditRecord {
    /// By nobody that is known: whoever it was did not prove to be the person.
    fileprivate init(_ entry: RefusalLedger<RefusedCredential>.Entry, at time: Timestamp) {
        let (refusal, subject) = (entry.shown, entry.shown.subject)
        let document = refusal.use.place.auditMembers.merging([
            "username": .string(refusal.username), "count": .integer(Int64(entry.count)),
            "method": subject.credential == .pass ? "temporaryAccessPass" : "password",
            "purpose": .string(subject.purpose.rawValue), "firstAt": .string(entry.firstAt.description),
            "lastAt": .string(entry.lastAt.description),
        ]) { $1 }
        self.init(
            tenant: subject.tenant, at: time, actorKind: "unknown", actorID: "", actorName: "",
            action: "password.refuse", target: subject.person.rawValue,
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
