import Domain
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    func createActivation(_ request: CreateActivation, _ context: HandlerContext) async throws -> CreateActivationReply
    {
        let tenant = TenantID(request.tenant)
        let view = try tenants.tenant(tenant)
        return try await change(request, context, holdsSecret: true) { change in
            let person = try change.records.needPerson(request.personID, tenant: tenant)
            guard !person.isBlocked else { throw ServiceError(.refused, "the person may not register a device") }
            // No ticket that no phone could use.
            try Self.needRoom(for: person, view, change)
            try Self.makeRoom(
                for: person, limit: view.settings.activationsPerPerson, replacesOldest: request.replaceOldest, change)
            let (id, ticket) = (ActivationID(Fresh.id()), Fresh.secret())
            let activation = StoredActivation(
                tenant: tenant, id: id, person: person.id, ticketDigest: ticket.digest,
                sealedTicket: try change.vault.seal(Array(ticket.text.utf8), .ticket(tenant, id)),
                session: request.sessionID.nonEmpty,
                passSession: request.sessionByPass ? request.sessionID.nonEmpty : nil,
                createdAt: change.at,
                machine: ActivationMachine(
                    expiresAt: change.at + .seconds(view.settings.activationLifetimeMinutes * 60)))
            try change.records.insert(activation)
            try change.audit(
                .person(person), "activation.create", tenant: tenant, target: person.id.rawValue,
                after: ["username": .string(person.username)])
            return activation.reply(ticket: ticket.text, person: person, tenantName: view.name)
        }
    }

    private static func makeRoom(
        for person: StoredPerson, limit: Int, replacesOldest: Bool, _ change: Change
    ) throws {
        let waiting = try change.records.openActivations(of: person.id, tenant: person.tenant)
            .filter { $0.machine.state(at: change.at) == .waiting }
        let admission = ActivationAdmission.judge(
            waiting.map { .init(id: $0.id, createdAt: $0.createdAt) }, limit: limit, replacesOldest: replacesOldest)
        guard case .admitted(let withdrawn) = admission else {
            throw ServiceError(.tooManyActivations, "too many activations are waiting for a phone")
        }
        for activation in waiting where withdrawn.contains(activation.id) { try withdraw(activation, change) }
    }

    /// Its ticket registers no phone any more, and its page hears of that.
    static func withdraw(_ activation: StoredActivation, _ change: Change) throws {
        var activation = activation
        activation.machine.end()
        activation.sealedTicket = []
        try change.records.update(activation)
        change.effects.activations.append(activation.id)
    }

    func readActivationTicket(_ request: ReadActivationTicket, _ context: HandlerContext) async throws
        -> CreateActivationReply
    {
        let (tenant, now, vault) = (TenantID(request.tenant), now(), vault)
        let view = try tenants.tenant(tenant)
        return try await store.read { records in
            let activation = try records.ownActivation(request.activationID, of: request.personID, tenant: tenant)
            guard activation.machine.state(at: now) != .expired else {
                throw ServiceError(.expired, "the activation has expired")
            }
            guard !activation.sealedTicket.isEmpty else { throw ServiceError(.ticketUsed, "the ticket has been used") }
            let ticket = try vault.open(activation.sealedTicket, .ticket(tenant, activation.id))
            let person = try records.needPerson(request.personID, tenant: tenant)
            return activation.reply(
                ticket: String(decoding: ticket, as: UTF8.self), person: person, tenantName: view.name)
        }
    }

    /// Answers as soon as the state is not `known_state`; an activation that runs out of time is a change too.
    func awaitActivation(_ request: AwaitActivation, _ context: HandlerContext) async throws -> AwaitActivationReply {
        let id = ActivationID(request.activationID)
        let end = ContinuousClock.now + .milliseconds(Int64(request.waitMs))
        return try await activations.watching(id) { changed in
            while true {
                let seen = changed.count
                let reply = try await activationState(request)
                let left = end - .now
                if request.knownState.isEmpty || reply.state != request.knownState || left <= .zero { return reply }
                let untilExpiry = Timestamp(milliseconds: reply.expiresAtMs) - now()
                let isOpen =
                    reply.state == ActivationState.waiting.rawValue
                    || reply.state == ActivationState.confirming.rawValue
                await changed.wait(past: seen, atMost: isOpen ? min(left, max(untilExpiry, .milliseconds(1))) : left)
                try Task.checkCancellation()
            }
        }
    }

    private func activationState(_ request: AwaitActivation) async throws -> AwaitActivationReply {
        let (tenant, now, vault) = (TenantID(request.tenant), now(), vault)
        return try await store.read { records in
            let activation = try records.ownActivation(request.activationID, of: request.personID, tenant: tenant)
            var state = activation.machine.state(at: now)
            // The page shows a number or nothing: until challenge has said it, the phone is still being registered.
            if state == .confirming, activation.sealedNumber.isEmpty { state = .waiting }
            var reply = AwaitActivationReply()
            reply.state = state.rawValue
            reply.expiresAtMs = activation.machine.expiresAt.milliseconds
            if state == .confirming {
                let number = try vault.open(activation.sealedNumber, .number(tenant, activation.id))
                reply.number = String(decoding: number, as: UTF8.self)
            }
            if state == .active { reply.deviceID = activation.machine.device?.rawValue ?? "" }
            return reply
        }
    }
}

extension StoredActivation {
    fileprivate func reply(ticket: String, person: StoredPerson, tenantName: String) -> CreateActivationReply {
        CreateActivationReply.with {
            $0.id = id.rawValue
            $0.ticket = ticket
            $0.expiresAtMs = machine.expiresAt.milliseconds
            $0.username = person.username
            $0.tenantName = tenantName
        }
    }
}

extension RegistrationRecords {
    /// Another person's activation does not exist.
    fileprivate func ownActivation(_ id: String, of person: String, tenant: TenantID) throws -> StoredActivation {
        guard let activation = try activation(ActivationID(id), tenant: tenant), activation.person.rawValue == person
        else {
            throw ServiceError(.notFound, "no such activation")
        }
        return activation
    }
}

extension Actor {
    static func person(_ person: StoredPerson) -> Actor {
        Actor.with {
            $0.kind = "person"
            $0.id = person.id.rawValue
            $0.name = person.username
        }
    }

    static let notifier = Actor.with {
        $0.kind = "service"
        $0.id = "notifier"
        $0.name = "notifier"
    }

    static func device(_ device: StoredDevice) -> Actor {
        Actor.with {
            $0.kind = "device"
            $0.id = device.id.rawValue
            $0.name = device.facts.name
        }
    }
}
