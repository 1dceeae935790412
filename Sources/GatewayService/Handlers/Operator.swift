import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import SwiftProtobuf
import Wire

/// What an operator needs to set a tenant up.
struct Operator: Sendable {
    let edge: Edge

    func createTenant(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.operator(inbound)
        let body = try inbound.decode(TenantCreation.self)
        guard TenantID.isValid(body.id) else {
            throw ServiceError(
                .invalidValue, "id is 1 to 63 lower-case letters, digits and hyphens", members: ["member": "id"])
        }
        guard (1...64).contains(body.name.count) else {
            throw ServiceError(.invalidValue, "name has 1 to 64 characters", members: ["member": "name"])
        }
        let effect = try edge.effect(inbound, by: "operator:\(actor.id)")
        let reply = try await edge.caller.call(
            CreateTenant.with {
                $0.id = body.id
                $0.name = body.name
                $0.actor = actor
                $0.requestID = effect.description
            }, inbound.context(effect))
        return try .json(
            reply.existed ? .ok : .created,
            TenantCreated(id: reply.id, name: reply.name, adminToken: reply.adminToken.nonEmpty)
        )
    }

    func renewAdminToken(_ inbound: Inbound) async throws -> Reply {
        let actor = try await edge.authentication.operator(inbound)
        let effect = try edge.effect(inbound, by: "operator:\(actor.id)")
        let reply = try await edge.caller.call(
            RenewAdminToken.with {
                $0.tenant = inbound.tenant.rawValue
                $0.actor = actor
                $0.requestID = effect.description
            }, inbound.context(effect))
        return try .json(
            .ok, TenantCreated(id: inbound.tenant.rawValue, name: reply.name, adminToken: reply.adminToken))
    }

    func listTenants(_ inbound: Inbound) async throws -> Reply {
        _ = try await edge.authentication.operator(inbound)
        let page = try inbound.query.page
        let reply = try await edge.caller.call(ListTenants.with { $0.page = page }, inbound.context())
        let tenants = reply.tenants.filter { !$0.deleted }.map { TenantName(id: $0.tenant, name: $0.name) }
        return try .json(.ok, Page(items: tenants, next: reply.next.nonEmpty))
    }
}
