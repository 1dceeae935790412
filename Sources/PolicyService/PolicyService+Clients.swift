import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension PolicyService {
    func createClient(_ request: CreateClient, _ context: HandlerContext) async throws -> CreateClientReply {
        let rights = try Self.rights(of: request)
        let (tenantID, now, secret) = (TenantID(request.tenant), now(), newSecret())
        let client = StoredClient(
            tenant: tenantID, id: ClientID(newID()), name: request.name, secretDigest: secret.digest, rights: rights,
            createdAt: now)
        let audit = audit(tenantID, request.actor, context)
        let reply = try await committed(.createClient) { [self] in
            try await once.run(request, context, holdsSecret: true) { records in
                _ = try records.existing(tenantID)
                try records.insert(client)
                try records.move(tenantID, to: records.nextRevision())
                try audit.append(.createClient, target: client.id.rawValue, after: client.document, to: records)
                return .with {
                    $0.client = ClientRecord(client)
                    $0.secret = secret.text
                }
            }
        }
        return reply
    }

    private static func rights(of request: CreateClient) throws -> StoredClient.Rights {
        guard DisplayName.isValid(request.name) else { throw invalid("name", allowed: nameRule) }
        guard request.applications.count <= PolicyConfiguration.applicationsMax else {
            throw invalid("applications", allowed: "a list of at most \(PolicyConfiguration.applicationsMax) names")
        }
        for (index, name) in request.applications.enumerated() {
            guard DisplayName.isValid(name), !request.applications[..<index].contains(name) else {
                throw invalid("applications[\(index)]", allowed: "\(nameRule), each once")
            }
        }
        let roles = request.roles.isEmpty ? ["signIn"] : request.roles
        guard Set(roles).isSubset(of: ["signIn", "admin"]), Set(roles).count == roles.count else {
            throw invalid("roles", allowed: "signIn, admin")
        }
        return StoredClient.Rights(
            applications: request.applications, anyApplication: request.anyApplication, roles: roles)
    }

    func listClients(_ request: ListClients, _ context: HandlerContext) async throws -> ListClientsReply {
        let tenantID = TenantID(request.tenant)
        let limit = try Paging.limit(of: request.page)
        let place = try Paging.place(of: request.page)
        let rows = try await store.read { records in
            _ = try records.existing(tenantID)
            return try records.clients(of: tenantID, after: place, limit: limit + 1).map {
                ($0.place, ClientRecord($0.client))
            }
        }
        let page = try Paging.cut(rows, to: limit) { try $0.1.serializedData().count }
        return .with {
            $0.clients = page.rows.map(\.1)
            $0.next = page.isCut ? page.rows.last.map { String($0.0) } ?? "" : ""
        }
    }

    func readClient(_ request: ReadClient, _ context: HandlerContext) async throws -> ReadClientReply {
        let (tenantID, id) = (TenantID(request.tenant), ClientID(request.clientID))
        let client = try await store.lookUp { try $0.existing(id, of: tenantID) }
        return .with { $0.client = ClientRecord(client) }
    }

    /// The client's tokens go with it; gateways forget it because the tenant's revision moves.
    func deleteClient(_ request: DeleteClient, _ context: HandlerContext) async throws -> Wire.Empty {
        let (tenantID, id) = (TenantID(request.tenant), ClientID(request.clientID))
        let audit = audit(tenantID, request.actor, context)
        return try await committed(.deleteClient) { [self] in
            try await once.run(request, context) { records in
                let client = try records.existing(id, of: tenantID)
                try records.deleteClient(id, of: tenantID)
                try records.move(tenantID, to: records.nextRevision())
                try audit.append(.deleteClient, target: id.rawValue, before: client.document, to: records)
                return Wire.Empty()
            }
        }
    }

    static let nameRule = "1 to \(DisplayName.charactersMax) visible characters"

    static func invalid(_ member: String, allowed: String) -> ServiceError {
        ServiceError(DocumentFault.invalidValue(member: member, allowed: allowed))
    }
}

extension PolicyRecords {
    /// The client, or `notFound`.
    fileprivate func existing(_ id: ClientID, of tenant: TenantID) throws -> StoredClient {
        guard let client = try client(id, of: tenant) else { throw ServiceError(.notFound, "no such client") }
        return client
    }
}

extension StoredClient {
    /// For the audit log: everything but the secret.
    var document: JSONValue {
        [
            "id": .string(id.rawValue), "name": .string(name),
            "applications": .array(applications.map(JSONValue.string)),
            "anyApplication": .bool(anyApplication), "roles": .array(roles.map(JSONValue.string)),
        ]
    }
}
