import Domain
import HTTPTypes
import Messaging
import Secrets
import ServiceKit
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Who calls: asks policy about credentials, verifier about proofs, registration about sessions.
struct Authentication: Sendable {
    static let tokenBytesMax = 4096

    let caller: any ServiceCaller
    let tenants: any Tenants
    let cookies: SessionCookies
    let origin: BrowserOrigin
    let externalURL: String
    let now: @Sendable () -> Timestamp
    private let clients = CredentialCache<ClientRecord>()
    private let tokens = CredentialCache<AuthenticateTokenReply>()

    init(caller: any ServiceCaller, tenants: any Tenants, externalURL: String, now: @escaping @Sendable () -> Timestamp)
    {
        self.caller = caller
        self.tenants = tenants
        self.externalURL = externalURL
        self.now = now
        cookies = SessionCookies(externalURL: externalURL)
        origin = BrowserOrigin(externalURL: externalURL)
    }

    /// One text for every reason: which part was wrong is nobody's business.
    private static var unauthenticated: ServiceError {
        ServiceError(.notAuthenticated, "the credentials are missing or not valid")
    }

    // MARK: applications

    /// An application that may ask for sign-ins.
    func client(_ inbound: Inbound) async throws(ServiceError) -> ClientRecord {
        let client = try await anyClient(inbound)
        guard client.roles.isEmpty || client.roles.contains("signIn") else {
            throw ServiceError(.refused, "this application may not ask for sign-ins")
        }
        return client
    }

    private func anyClient(_ inbound: Inbound) async throws(ServiceError) -> ClientRecord {
        switch Credentials(inbound.headers) {
        case .basic(let id, let secret): return try await client(id, secret, inbound)
        case .bearer(let token):
            let reply = try await self.token(token, inbound)
            guard reply.kind == "client" else { throw ServiceError(.refused, "this token is not an application's") }
            return reply.client
        case .deviceProof, .none, .unreadable: throw Self.unauthenticated
        }
    }

    func client(_ id: String, _ secret: String, _ inbound: Inbound) async throws(ServiceError) -> ClientRecord {
        let revision = try tenants.tenant(inbound.tenant).revision
        guard !id.isEmpty, !secret.isEmpty, id.utf8.count + secret.utf8.count <= Self.tokenBytesMax else {
            throw Self.unauthenticated
        }
        let digest = sha256(Array(secret.utf8))
        let key = sha256(Array("\(inbound.tenant)\u{0}\(id)\u{0}".utf8) + digest)
        if let known = clients.value(for: key, revision: revision) { return known }
        let reply: AuthenticateClientReply
        do {
            reply = try await caller.call(
                AuthenticateClient.with {
                    $0.tenant = inbound.tenant.rawValue
                    $0.clientID = id
                    $0.secretDigest = Data(digest)
                }, inbound.context())
        } catch {
            throw Self.softened(error)
        }
        clients.keep(reply.client, for: key, revision: reply.revision)
        return reply.client
    }

    // MARK: tokens

    private func token(_ text: String, _ inbound: Inbound) async throws(ServiceError) -> AuthenticateTokenReply {
        let revision = try tenants.tenant(inbound.tenant).revision
        guard !text.isEmpty, text.utf8.count <= Self.tokenBytesMax else { throw Self.unauthenticated }
        let digest = sha256(Array(text.utf8))
        let key = sha256(Array("\(inbound.tenant)\u{0}".utf8) + digest)
        if let known = tokens.value(for: key, revision: revision) { return known }
        let reply = try await tokenReply(inbound.tenant.rawValue, digest, inbound)
        let expiresIn = Timestamp(sent: reply.expiresAtMs).map { $0 - now() }
        tokens.keep(reply, for: key, revision: reply.revision, expiresIn: expiresIn)
        return reply
    }

    private func tokenReply(_ tenant: String, _ digest: [UInt8], _ inbound: Inbound) async throws(ServiceError)
        -> AuthenticateTokenReply
    {
        do {
            return try await caller.call(
                AuthenticateToken.with {
                    $0.tenant = tenant
                    $0.tokenDigest = Data(digest)
                }, inbound.context())
        } catch {
            throw Self.softened(error)
        }
    }

    /// Wrong credentials are one answer; what is not an answer about them passes through.
    private static func softened(_ error: ServiceError) -> ServiceError {
        switch error.code {
        case .notAuthenticated, .invalidCredentials, .notFound, .expired, .malformed, .refused: unauthenticated
        default: error
        }
    }

    /// An operator: he sets up tenants.
    func `operator`(_ inbound: Inbound) async throws(ServiceError) -> Wire.Actor {
        guard case .bearer(let text) = Credentials(inbound.headers), !text.isEmpty,
            text.utf8.count <= Self.tokenBytesMax
        else {
            throw Self.unauthenticated
        }
        let reply = try await tokenReply("", sha256(Array(text.utf8)), inbound)
        guard reply.kind == "operator" else { throw ServiceError(.refused, "this token is not an operator's") }
        return .with {
            $0.kind = "operator"
            $0.id = reply.tokenID
            $0.name = reply.name
        }
    }

    // MARK: administration

    /// An administrator's token, an application with the admin role, or the session of a person with the administrator role.
    func administrator(_ inbound: Inbound) async throws(ServiceError) -> Wire.Actor {
        switch Credentials(inbound.headers) {
        case .bearer(let text):
            let reply = try await token(text, inbound)
            if reply.kind == "admin" {
                return .with {
                    $0.kind = "token"
                    $0.id = reply.tokenID
                    $0.name = reply.name
                }
            }
            guard reply.kind == "client" else { throw ServiceError(.refused, "this token has no admin role") }
            return try Self.administrator(reply.client)
        case .basic(let id, let secret): return try Self.administrator(try await client(id, secret, inbound))
        case .none:
            let session = try await session(inbound)
            guard session.person.roles.contains("administrator") else {
                throw ServiceError(.refused, "this person is no administrator")
            }
            return Self.actor(session.person)
        case .deviceProof, .unreadable: throw Self.unauthenticated
        }
    }

    private static func administrator(_ client: ClientRecord) throws(ServiceError) -> Wire.Actor {
        guard client.roles.contains("admin") else { throw ServiceError(.refused, "this application has no admin role") }
        return .with {
            $0.kind = "client"
            $0.id = client.id
            $0.name = client.name
        }
    }

    static func actor(_ person: PersonRecord) -> Wire.Actor {
        .with {
            $0.kind = "person"
            $0.id = person.id
            $0.name = person.username
        }
    }

    // MARK: people

    /// Of the cookie that the browser sent; it need not be of a session that there is.
    func sessionDigest(_ inbound: Inbound) -> [UInt8]? { cookies.sessionDigest(inbound.headers, inbound.tenant) }

    /// The session of the browser that calls. An unsafe call must come from the same origin.
    func session(_ inbound: Inbound) async throws(ServiceError) -> ResolveSessionReply {
        _ = try tenants.tenant(inbound.tenant)
        guard let digest = sessionDigest(inbound) else {
            throw ServiceError(.notAuthenticated, "there is no session")
        }
        try origin.check(inbound)
        do {
            return try await caller.call(
                ResolveSession.with {
                    $0.tenant = inbound.tenant.rawValue
                    $0.tokenDigest = Data(digest)
                }, inbound.context())
        } catch {
            switch error.code {
            case .notAuthenticated, .invalidCredentials, .notFound, .expired, .refused:
                throw ServiceError(.notAuthenticated, "there is no session")
            default: throw error
            }
        }
    }

    // MARK: devices

    /// The device whose key signed the proof of this very request. One that awaits confirmation may do only what says so.
    func device(_ inbound: Inbound, evenAwaiting: Bool = false) async throws(ServiceError) -> VerifyDeviceProofReply {
        _ = try tenants.tenant(inbound.tenant)
        guard case .deviceProof(let proof) = Credentials(inbound.headers) else {
            throw ServiceError(.notAuthenticated, "a device proof is needed")
        }
        let reply = try await caller.call(
            VerifyDeviceProof.with {
                $0.tenant = inbound.tenant.rawValue
                $0.proof = proof
                $0.deviceID = inbound.parameter("device")
                $0.httpMethod = inbound.method.rawValue
                $0.url = externalURL + inbound.path
                $0.bodyDigest = inbound.body.isEmpty ? Data() : Data(sha256(inbound.body))
            }, inbound.context())
        guard reply.state == DeviceState.active.rawValue || evenAwaiting else {
            throw ServiceError(.refused, "the device is not confirmed yet")
        }
        return reply
    }
}
