import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import SwiftProtobuf
import Wire

/// Applications that may ask for sign-ins.
struct AdminClients: Sendable {
    let edge: Edge

    func create(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        let body = try inbound.decode(ClientCreation.self)
        let effect = try edge.effect(inbound, by: "\(actor.kind):\(actor.id)")
        let reply = try await edge.caller.call(
            CreateClient.with {
                $0.tenant = inbound.tenant.rawValue
                $0.name = body.name
                $0.applications = body.applications ?? []
                $0.anyApplication = body.anyApplication ?? false
                $0.roles = body.roles ?? ["signIn"]
                $0.actor = actor
                $0.requestID = effect.description
            }, inbound.context(effect))
        let record = reply.client
        let document = ClientCreated(
            id: record.id, secret: reply.secret, name: record.name, applications: record.applications,
            anyApplication: record.anyApplication, roles: record.roles,
            createdAt: Timestamp(milliseconds: record.createdAtMs))
        return try .json(.created, document, headers: [.location: APIPaths.client(inbound.tenant, ClientID(record.id))])
    }

    func list(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let page = try inbound.query.page
        let reply = try await edge.caller.call(
            ListClients.with {
                $0.tenant = inbound.tenant.rawValue
                $0.page = page
            }, inbound.context())
        return try .json(
            .ok, Page(items: reply.clients.map { ClientDocument($0) }, next: reply.next.nonEmpty))
    }

    func read(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.administrator(inbound)
        let reply = try await edge.caller.call(
            ReadClient.with {
                $0.tenant = inbound.tenant.rawValue
                $0.clientID = inbound.parameter("client")
            }, inbound.context())
        return try .json(.ok, ClientDocument(reply.client))
    }

    func remove(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.administrator(inbound)
        _ = try await edge.caller.call(
            DeleteClient.with {
                $0.tenant = inbound.tenant.rawValue
                $0.clientID = inbound.parameter("client")
                $0.actor = actor
                $0.requestID = inbound.originID.description
            }, inbound.context())
        return .noContent
    }
}

extension ClientDocument {
    init(_ record: ClientRecord) {
        self.init(
            id: record.id, name: record.name, applications: record.applications, anyApplication: record.anyApplication,
            roles: record.roles, createdAt: Timestamp(milliseconds: record.createdAtMs))
    }
}
