import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import Proofs
import SwiftProtobuf
import Wire

/// A person adds a phone: the ticket in a QR code, what the page shows next, and the QR code itself.
struct Activations: Sendable {
    let edge: Edge

    func create(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        let body = try inbound.decode(ActivationStart.self)
        let effect = try edge.effect(inbound, by: "person:\(session.person.id)")
        let reply = try await edge.caller.call(
            CreateActivation.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
                $0.sessionID = session.sessionID
                $0.sessionByPass = session.byPass
                $0.requestID = effect.description
                $0.replaceOldest = body.replaceOldest ?? false
            }, inbound.context(effect))
        let created = ActivationCreated(
            id: reply.id, activationUri: uri(reply, inbound).text, expiresAt: Timestamp(milliseconds: reply.expiresAtMs)
        )
        return try .json(
            .created, created, headers: [.location: APIPaths.myActivation(inbound.tenant, ActivationID(reply.id))])
    }

    private func uri(_ reply: CreateActivationReply, _ inbound: Inbound) -> ActivationURI {
        ActivationURI(
            server: edge.configuration.externalURL, tenant: inbound.tenant, ticket: reply.ticket,
            issuer: reply.tenantName,
            account: reply.username)
    }

    func read(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        let wait = try inbound.query.wait
        let known = inbound.query["state"] ?? ActivationState.waiting.rawValue
        guard ActivationState(rawValue: known) != nil else {
            throw ServiceError(.malformed, "state is not a state of an activation")
        }
        let request = AwaitActivation.with {
            $0.tenant = inbound.tenant.rawValue
            $0.personID = session.person.id
            $0.activationID = inbound.parameter("activation")
        }
        return try .json(.ok, try Self.progress(try await progress(request, known: known, inbound, wait: wait)))
    }

    private func progress(_ request: AwaitActivation, known: String, _ inbound: Inbound, wait: Duration) async throws
        -> AwaitActivationReply
    {
        if wait > .zero {
            var waiting = request
            waiting.knownState = known
            waiting.waitMs = UInt32(wait.milliseconds)
            let parked = waiting
            let caller = edge.caller
            let context = inbound.context(wait: wait)
            if let reply = try await edge.parked.hold(
                inbound.connection, about: parked.activationID, { try await caller.call(parked, context) })
            {
                return reply
            }
        }
        return try await edge.caller.call(request, inbound.context())
    }

    private static func progress(_ reply: AwaitActivationReply) throws(ServiceError) -> ActivationProgress {
        guard let state = ActivationState(rawValue: reply.state) else {
            throw ServiceError(.internal, "unknown state \(reply.state)")
        }
        return ActivationProgress(
            state: state, number: reply.number.nonEmpty,
            deviceId: reply.deviceID.nonEmpty,
            expiresAt: Timestamp(milliseconds: reply.expiresAtMs))
    }

    func qrCode(_ inbound: Inbound) async throws -> Reply {
        let session = try await edge.authentication.session(inbound)
        let reply = try await edge.caller.call(
            ReadActivationTicket.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = session.person.id
                $0.activationID = inbound.parameter("activation")
            }, inbound.context())
        guard let image = QRCodeImage(uri(reply, inbound).text) else {
            throw ServiceError(.invalidUsername, "the user name is too long for a QR code: use activationUri")
        }
        // The image holds the ticket: no script in it may run, and no cache may keep it.
        return .document(Array(image.svg.utf8), type: "image/svg+xml", headers: [.securityPolicy: "default-src 'none'"])
    }
}
