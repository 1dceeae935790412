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

/// A person's own session, in a browser.
struct Session: Sendable {
    let edge: Edge

    private var cookies: SessionCookies { edge.authentication.cookies }

    func start(_ inbound: Inbound) async throws -> Reply {
        try edge.admitSignIn()
        let tenant = try edge.tenants.tenant(inbound.tenant)
        try edge.authentication.origin.check(inbound)
        let body = try inbound.decode(SessionRequest.self)
        guard body.password == nil || body.temporaryAccessPass == nil else {
            throw ServiceError(.malformed, "password and temporaryAccessPass exclude each other")
        }
        try SignIns.check(username: body.username)
        guard body.password != nil || body.temporaryAccessPass != nil else {
            return try await ask(body.username, .passwordless, tenant, inbound)
        }
        guard body.password != "", body.temporaryAccessPass != "" else {
            throw ServiceError(.invalidCredentials, "the user name or the credential is not right")
        }
        let reply = try await edge.caller.call(
            StartSession.with {
                $0.tenant = inbound.tenant.rawValue
                $0.username = body.username
                $0.password = Data((body.password ?? "").utf8)
                $0.temporaryAccessPass = Data((body.temporaryAccessPass ?? "").utf8)
                $0.context = Self.place(inbound)
            }, inbound.context(try edge.effect(inbound, by: "anyone:\(FoldedUsername(body.username))")))
        if reply.needsSecondFactor {
            // Who knows the password may know that a number would be shown in vain.
            let allowsPush = tenant.policy.verdict(on: reply.person).allowsPush(.secondFactor)
            return try await ask(body.username, .secondFactor, tenant, inbound, inVain: allowsPush ? nil : .push)
        }
        return try opened(reply.person, reply.sessionToken, reply.expiresAtMs, inbound)
    }

    /// 202: a request on the phone first, which only this browser can complete. `inVain`: a method that cannot settle it.
    private func ask(
        _ username: String, _ factor: Factor, _ tenant: TenantView, _ inbound: Inbound, inVain: SignInMethod? = nil
    ) async throws -> Reply {
        let browser = cookies.startToken(inbound.headers, inbound.tenant)
        let digest = sha256(Array(browser.utf8))
        // A repeat of this browser gets the same request; another browser with the same key one of its own.
        let effect = try edge.effect(inbound, by: Self.identity(ofBrowser: digest))
        let reply = try await edge.caller.call(
            BeginChallenge.with {
                $0.tenant = inbound.tenant.rawValue
                $0.username = username
                $0.factor = factor.rawValue
                $0.application = tenant.name
                $0.context = Self.place(inbound)
                $0.owner = .with { $0.browserDigest = Data(digest) }
                $0.anyModeCode = true
            }, inbound.context(effect).child(BeginChallenge.method.id))
        var signIn = SignInReply(reply)
        signIn.methods.removeAll { $0 == inVain }
        var answer = try Reply.json(.accepted, SessionSignIn(signIn: signIn))
        answer.headers.append(cookies.start(browser, inbound.tenant))
        return answer
    }

    func complete(_ inbound: Inbound) async throws -> Reply {
        _ = try edge.tenants.tenant(inbound.tenant)
        try edge.authentication.origin.check(inbound)
        let body = try inbound.decode(SessionCompletion.self)
        guard let browser = cookies.startDigest(inbound.headers, inbound.tenant) else { throw Self.foreign }
        let effect = try edge.effect(inbound, by: Self.identity(ofBrowser: browser))
        let redeemed: Wire.RedeemReply
        do {
            redeemed = try await edge.caller.call(
                Redeem.with {
                    $0.tenant = inbound.tenant.rawValue
                    $0.id = body.id
                    $0.secretDigest = Data(sha256(Array(body.secret.utf8)))
                    $0.owner = .with { $0.browserDigest = Data(browser) }
                }, inbound.context(effect))
        } catch {
            throw error.code == .notFound ? Self.foreign : error
        }
        let session = try await edge.caller.call(
            OpenSession.with {
                $0.tenant = inbound.tenant.rawValue
                $0.personID = redeemed.personID
                $0.challengeID = body.id
                $0.amr = redeemed.amr
            }, inbound.context(effect))
        // The mark of the browser stays: its other open requests, and a repeat of this one, are completed with it.
        return try opened(session.person, session.sessionToken, session.expiresAtMs, inbound)
    }

    /// The browser speaks for itself here, so that phone and logs can show where the request comes from.
    private static func place(_ inbound: Inbound) -> Wire.RequestContext {
        Wire.RequestContext(ipAddress: inbound.clientAddress, userAgent: inbound.headers[.userAgent] ?? "")
    }

    /// Whose idempotency keys these are.
    private static func identity(ofBrowser digest: [UInt8]) -> String { "browser:\(Base64URL.encode(digest))" }

    private static var foreign: ServiceError { ServiceError(.refused, "this browser did not begin such a request") }

    private func opened(_ person: PersonRecord, _ token: String, _ expiresAtMs: Int64, _ inbound: Inbound) throws
        -> Reply
    {
        var reply = try Reply.json(
            .ok, SessionReply(user: PersonView(person), expiresAt: Timestamp(milliseconds: expiresAtMs)))
        reply.headers.append(cookies.session(token, inbound.tenant))
        return reply
    }

    func end(_ inbound: Inbound) async throws -> Reply {
        _ = try edge.tenants.tenant(inbound.tenant)
        try edge.authentication.origin.check(inbound)
        if let digest = cookies.sessionDigest(inbound.headers, inbound.tenant) {
            _ = try await edge.caller.call(
                EndSession.with {
                    $0.tenant = inbound.tenant.rawValue
                    $0.tokenDigest = Data(digest)
                }, inbound.context())
        }
        var reply = Reply.noContent
        reply.headers.append(cookies.sessionEnded(inbound.tenant))
        return reply
    }
}

extension PersonView {
    init(_ person: PersonRecord) {
        self.init(id: person.id, username: person.username, displayName: person.displayName, roles: person.roles)
    }
}
