import DeviceAPI
import Domain
import HTTPTypes
import Messaging
import Proofs
import Secrets
import ServiceKit
import SwiftProtobuf
import Wire

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An application wants a person signed in: it begins a request, waits for its outcome and redeems it.
struct SignIns: Sendable {
    let edge: Edge

    func begin(_ inbound: Inbound) async throws -> Reply {
        try edge.admitSignIn()
        let client = try await edge.authentication.client(inbound)
        let body = try inbound.decode(SignInRequest.self)
        let request = BeginChallenge.with {
            $0.tenant = inbound.tenant.rawValue
            $0.username = body.username
            $0.factor = (body.factor ?? .passwordless).rawValue
            $0.context = Wire.RequestContext(
                ipAddress: body.context?.ipAddress ?? "", userAgent: body.context?.userAgent ?? "")
            $0.owner = .with { $0.clientID = client.id }
        }
        let named = try Self.named(request, body.application, client)
        try Self.check(username: body.username)
        let context = inbound.context(try edge.effect(inbound, by: "client:\(client.id)"))
        let reply = SignInReply(try await edge.caller.call(named, context))
        let location = APIPaths.signIn(inbound.tenant, ChallengeID(reply.id))
        return try .json(.created, reply, headers: [.location: location])
    }

    /// What cannot be a name at all never gets further.
    static func check(username: String) throws(ServiceError) {
        guard Username.isValid(username) else { throw ServiceError(.invalidUsername, Username.rule) }
    }

    /// With the name that the phone shows: one that is registered for the client, or the client's own.
    private static func named(_ request: BeginChallenge, _ application: String?, _ client: ClientRecord)
        throws(ServiceError) -> BeginChallenge
    {
        let name = application ?? client.name
        guard DisplayName.isValid(name),
            application == nil || client.anyApplication || name == client.name || client.applications.contains(name)
        else { throw ServiceError(.unknownApplication, "the application is not registered for this client") }
        var request = request
        request.application = name
        return request
    }

    func read(_ inbound: Inbound) async throws -> Reply {
        let request = try await access(inbound).outcome
        return try .json(.ok, SignInStatus(try await outcome(request, inbound, wait: inbound.query.wait)))
    }

    /// The status at once, or when it settles, or after `wait`.
    private func outcome(_ request: AwaitOutcome, _ inbound: Inbound, wait: Duration) async throws -> OutcomeReply {
        if wait > .zero {
            var waiting = request
            waiting.waitMs = UInt32(wait.milliseconds)
            let parked = waiting
            let caller = edge.caller
            let context = inbound.context(wait: wait)
            if let reply = try await edge.parked.hold(
                inbound.connection, about: parked.id, { try await caller.call(parked, context) })
            {
                return reply
            }
        }
        return try await edge.caller.call(request, inbound.context())
    }

    func code(_ inbound: Inbound) async throws -> Reply {
        let access = try await access(inbound)
        let body = try inbound.decode(CodeRequest.self)
        let request = SubmitCode.with {
            $0.tenant = inbound.tenant.rawValue
            $0.id = access.id
            $0.secretDigest = access.secretDigest
            $0.owner = access.owner
            $0.code = body.code
            // A form may send the field empty: nobody's password, and none to count.
            if let password = body.password?.nonEmpty { $0.password = Data(password.utf8) }
        }
        return try .json(
            .ok,
            SignInStatus(
                try await edge.caller.call(request, inbound.context(try edge.effect(inbound, by: access.identity)))))
    }

    func redeem(_ inbound: Inbound) async throws -> Reply {
        let access = try await access(inbound)
        let wait = try inbound.query.wait
        guard access.owner.browserDigest.isEmpty else {
            throw ServiceError(.refused, "this request completes a session only")
        }
        let effect = try edge.effect(inbound, by: access.identity)
        var request = access.redeem
        if wait > .zero {
            request.waitMs = UInt32(wait.milliseconds)
            let parked = request
            let caller = edge.caller
            let context = inbound.context(effect, wait: wait)
            if let reply = try await edge.parked.hold(
                inbound.connection, about: parked.id, { try await caller.call(parked, context) })
            {
                return try .json(.ok, RedeemReply(reply))
            }
            // Stopping: what is approved is redeemed by the repeat, which another gateway answers.
            throw ServiceError(.unavailable, retryAfter: .seconds(1))
        }
        return try .json(.ok, RedeemReply(try await edge.caller.call(request, inbound.context(effect))))
    }

    func cancel(_ inbound: Inbound) async throws -> Reply {
        let access = try await access(inbound)
        _ = try await edge.caller.call(
            CancelChallenge.with {
                $0.tenant = inbound.tenant.rawValue
                $0.id = access.id
                $0.secretDigest = access.secretDigest
                $0.owner = access.owner
            }, inbound.context())
        return .noContent
    }

    // MARK: access

    /// One request as its owner names it.
    struct Access: Sendable {
        let tenant: TenantID
        let id: String
        let secretDigest: Data
        let owner: Ownership
        /// Whose idempotency keys these are.
        let identity: String

        var outcome: AwaitOutcome {
            .with {
                $0.tenant = tenant.rawValue
                $0.id = id
                $0.secretDigest = secretDigest
                $0.owner = owner
            }
        }

        var redeem: Redeem {
            .with {
                $0.tenant = tenant.rawValue
                $0.id = id
                $0.secretDigest = secretDigest
                $0.owner = owner
            }
        }
    }

    /// The request's secret, with the client that asked or, for a session's request, the browser that did.
    func access(_ inbound: Inbound) async throws(ServiceError) -> Access {
        let owner: Ownership
        let identity: String
        if case .none = Credentials(inbound.headers),
            let browser = edge.authentication.cookies.startDigest(inbound.headers, inbound.tenant)
        {
            _ = try edge.tenants.tenant(inbound.tenant)
            try edge.authentication.origin.check(inbound)
            owner = .with { $0.browserDigest = Data(browser) }
            identity = "browser:\(Base64URL.encode(browser))"
        } else {
            let client = try await edge.authentication.client(inbound)
            owner = .with { $0.clientID = client.id }
            identity = "client:\(client.id)"
        }
        guard let secret = inbound.headers[.signInSecret], !secret.isEmpty else {
            throw ServiceError(.notFound, "there is no such request, or Sign-In-Secret is not its secret")
        }
        return Access(
            tenant: inbound.tenant, id: inbound.parameter("id"), secretDigest: Data(sha256(Array(secret.utf8))),
            owner: owner, identity: identity)
    }
}

extension SignInReply {
    init(_ reply: BeginChallengeReply) {
        self.init(
            id: reply.id, secret: reply.secret, status: .pending, number: reply.number,
            createdAt: Timestamp(milliseconds: reply.createdAtMs),
            expiresAt: Timestamp(milliseconds: reply.expiresAtMs),
            methods: reply.methods.compactMap { SignInMethod(rawValue: $0) })
    }
}

extension SignInStatus {
    /// Throws `internal` for a status that this version does not know.
    init(_ reply: OutcomeReply) throws(ServiceError) {
        guard let status = ChallengeStatus(rawValue: reply.status) else {
            throw ServiceError(.internal, "unknown status \(reply.status)")
        }
        self.init(
            id: reply.id, status: status, reason: reply.reason.nonEmpty,
            method: SignInMethod(rawValue: reply.method), expiresAt: Timestamp(milliseconds: reply.expiresAtMs))
    }
}

extension DeviceAPI.RedeemReply {
    init(_ reply: Wire.RedeemReply) throws {
        guard let method = SignInMethod(rawValue: reply.method) else {
            throw ServiceError(.internal, "unknown method \(reply.method)")
        }
        let key = reply.receiptKey.isEmpty ? nil : try PublicKeyJWK(x963: Array(reply.receiptKey))
        self.init(
            user: RedeemedUser(id: reply.personID, username: reply.username, displayName: reply.displayName),
            method: method,
            amr: reply.amr, acr: reply.acr, authTime: Timestamp(milliseconds: reply.authTimeMs),
            receipt: reply.receipt.nonEmpty,
            receiptContent: reply.receiptContent.isEmpty ? nil : Base64URL.encode(Array(reply.receiptContent)),
            receiptKey: key.map { PublicKeyDocument(kty: "EC", crv: "P-256", x: $0.x, y: $0.y) })
    }
}

extension Wire.RequestContext {
    /// What phones show of where a request comes from, as long as the contract lets it be.
    init(ipAddress: String, userAgent: String) {
        self.init()
        self.ipAddress = ShownText.cut(ipAddress, to: APILimits.ipAddressBytesMax)
        self.userAgent = ShownText.cut(userAgent, to: APILimits.userAgentBytesMax)
    }
}
