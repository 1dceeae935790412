import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

/// What a committed change causes outside of the store.
struct Effects: Sendable {
    var changes: [DeviceChange] = []
    var calls: [Int64] = []
    var activations: [ActivationID] = []
}

/// One change while it is being made: the store, and what follows from it once it is committed.
final class Change {
    let records: any RegistrationRecords
    let at: Timestamp
    let context: HandlerContext
    let vault: Vault
    var effects = Effects()
    private var callIndex: UInt16 = 0

    init(records: any RegistrationRecords, at: Timestamp, context: HandlerContext, vault: Vault) {
        self.records = records
        self.at = at
        self.context = context
        self.vault = vault
    }

    /// Watchers hear of a device, or with `device` nil of a person.
    func tell(tenant: TenantID, device: DeviceID?, person: PersonID, mayListen: Bool) {
        effects.changes.append(
            DeviceChange.with {
                $0.tenant = tenant.rawValue
                $0.deviceID = device?.rawValue ?? ""
                $0.personID = person.rawValue
                $0.mayListen = mayListen
            })
    }

    /// Sends a message to challenge as soon as this is committed, and until it has arrived.
    func call<Request: ServiceRequest>(_ kind: OutboundCall.Kind, tenant: TenantID, _ request: Request) throws {
        let id = context.call.requestID.child(method: Request.method.id, index: callIndex)
        callIndex += 1
        let sequence = try records.append(
            OutboundCall(
                kind: kind, tenant: tenant, request: id, origin: context.call.originID,
                body: try vault.seal(request.serializedBytes(), .call(id)), createdAt: at, dueAt: at))
        effects.calls.append(sequence)
    }

    /// Ends the person's open requests: all of them, or those that no device but `device` could answer.
    func cancelRequests(_ cause: SignInReason, tenant: TenantID, person: PersonID, device: DeviceID? = nil) throws {
        try call(
            .cancelForPerson, tenant: tenant,
            CancelForPerson.with {
                $0.tenant = tenant.rawValue
                $0.personID = person.rawValue
                $0.deviceID = device?.rawValue ?? ""
                $0.cause = cause.rawValue
            })
    }

    func audit(
        _ actor: Actor, _ action: String, tenant: TenantID, target: String, before: JSONValue? = nil,
        after: JSONValue? = nil
    )
        throws
    {
        try records.append(
            AuditRecord(
                tenant: tenant, at: at, actorKind: actor.kind, actorID: actor.id, actorName: actor.name, action: action,
                target: target, beforeJSON: before?.canonicalText ?? "", afterJSON: after?.canonicalText ?? "",
                requestID: context.call.originID.description))
    }
}

extension RegistrationService {
    /// Makes a change once for a request id, then tells whoever has to know. A repeat gets the first reply and changes nothing.
    func change<Request: ServiceRequest>(
        _ request: Request, _ context: HandlerContext, holdsSecret: Bool = false,
        _ body: @escaping @Sendable (Change) throws -> Request.Reply
    ) async throws -> Request.Reply {
        let (now, vault) = (now(), vault)
        let (reply, effects) = try await once.perform(request, context, holdsSecret: holdsSecret) { records in
            let change = Change(records: records, at: now, context: context, vault: vault)
            return (try body(change), change.effects)
        }
        if let effects { await follow(effects) }
        return reply
    }

    /// As `change`, for what is harmless when repeated and needs no remembered reply.
    func apply<Result: Sendable>(
        _ context: HandlerContext, _ body: @escaping @Sendable (Change) throws -> Result
    ) async throws -> Result {
        let (now, vault) = (now(), vault)
        let (result, effects) = try await store.write(until: context.call.deadline) { records in
            let change = Change(records: records, at: now, context: context, vault: vault)
            return (try body(change), change.effects)
        }
        await follow(effects)
        return result
    }

    /// Tells what was committed: watchers first, then challenge, so that the caller finds it true when the reply comes.
    func follow(_ effects: Effects) async {
        announce(effects)
        await feed.publish(effects.changes)
        for activation in effects.activations { activations.advance(activation) }
        for call in effects.calls { await attempt(call) }
    }
}
