import Domain
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension PolicyService {
    /// Machine secrets are 256 random bits, so one SHA-256 is as good as a slow hash.
    private static let absent = [UInt8](repeating: 0, count: 32)

    func authenticateClient(_ request: AuthenticateClient, _ context: HandlerContext) async throws
        -> AuthenticateClientReply
    {
        let (tenantID, id) = (TenantID(request.tenant), ClientID(request.clientID))
        let (tenant, client) = try await store.lookUp { (try $0.tenant(tenantID), try $0.client(id, of: tenantID)) }
        let genuine = genuine(client, Array(request.secretDigest))
        metrics.checked(.secret, genuine: genuine != nil)
        guard let tenant, let genuine else { throw Self.notAuthenticated }
        return .with {
            $0.client = ClientRecord(genuine)
            $0.revision = tenant.revision
        }
    }

    func authenticateToken(_ request: AuthenticateToken, _ context: HandlerContext) async throws
        -> AuthenticateTokenReply
    {
        let reply = try await genuineToken(request)
        metrics.checked(.token, genuine: reply != nil)
        guard let reply else { throw Self.notAuthenticated }
        return reply
    }

    private func genuineToken(_ request: AuthenticateToken) async throws -> AuthenticateTokenReply? {
        let digest = Array(request.tokenDigest)
        if request.tenant.isEmpty {
            guard operatorToken.isGenuine(digest) else { return nil }
            return .with {
                $0.kind = "operator"
                $0.name = "operator"
            }
        }
        let (tenantID, now) = (TenantID(request.tenant), now())
        return try await store.lookUp { records in
            guard let token = try records.token(digest: digest, of: tenantID), constantTimeEquals(token.digest, digest),
                token.expiresAt.map({ $0 > now }) ?? true, let tenant = try records.tenant(tenantID)
            else { return nil }
            var reply = AuthenticateTokenReply()
            reply.tokenID = token.id
            reply.revision = tenant.revision
            reply.expiresAtMs = token.expiresAt?.milliseconds ?? 0
            switch token.holder {
            case .administrator(let name):
                reply.kind = "admin"
                reply.name = name
            case .client(let id):
                guard let client = try records.client(id, of: tenantID) else { return nil }
                reply.kind = "client"
                reply.client = ClientRecord(client)
            }
            return reply
        }
    }

    /// RFC 6749 section 4.4: a token for the client itself.
    func issueToken(_ request: IssueToken, _ context: HandlerContext) async throws -> IssueTokenReply {
        let (tenantID, id, now) = (TenantID(request.tenant), ClientID(request.clientID), now())
        let (secret, tokenID, lifetime) = (newSecret(), newID(), configuration.tokenLifetime)
        let isGenuine: @Sendable (any PolicyRecords) throws -> Bool = { [self] records in
            genuine(try records.client(id, of: tenantID), Array(request.secretDigest)) != nil
        }
        // Before what is remembered: to whoever has not the secret, that another request had this id says too much.
        let isKnown = try await store.lookUp(isGenuine)
        metrics.checked(.secret, genuine: isKnown)
        guard isKnown else { throw Self.notAuthenticated }
        return try await once.run(request, context, holdsSecret: true) { records in
            guard try isGenuine(records) else { throw Self.notAuthenticated }
            try records.insert(
                StoredToken(
                    digest: secret.digest, id: tokenID, tenant: tenantID, holder: .client(id), createdAt: now,
                    expiresAt: now + lifetime))
            return .with {
                $0.token = secret.text
                $0.expiresIn = UInt32(lifetime.components.seconds)
            }
        }
    }

    /// The client, when the digest is that of its secret. The comparison runs whether or not there is a client.
    private func genuine(_ client: StoredClient?, _ digest: [UInt8]) -> StoredClient? {
        constantTimeEquals(client?.secretDigest ?? Self.absent, digest) ? client : nil
    }

    private static var notAuthenticated: ServiceError {
        ServiceError(.notAuthenticated, "the credentials are not valid")
    }
}

extension ClientRecord {
    init(_ client: StoredClient) {
        self.init()
        id = client.id.rawValue
        name = client.name
        applications = client.applications
        anyApplication = client.anyApplication
        createdAtMs = client.createdAt.milliseconds
        roles = client.roles
    }
}
