import Domain
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension RegistrationService {
    func startSession(_ asked: StartSession, _ context: HandlerContext) async throws -> StartSessionReply {
        // Whoever asks again from another address asks the same.
        let (request, place) = (asked.withoutContext, asked.context)
        let tenant = TenantID(request.tenant)
        _ = try tenants.tenant(tenant)
        let (password, pass) = (Array(request.password), Array(request.temporaryAccessPass))
        guard password.isEmpty != pass.isEmpty else {
            throw ServiceError(.malformed, "exactly one of password and temporaryAccessPass is needed")
        }
        let claim = pass.isEmpty ? Claim.password(password) : .pass(pass)
        let use = CredentialUse(.session, context, from: place)
        let proven: Proven
        switch try await prove(claim, username: request.username, tenant: tenant, for: use) {
        case .proven(let claim): proven = claim
        case .refused(let refusal):
            // A pass that the first of two equal calls has used up. Looked for only here, where the attempt has been counted: whoever
            // knows the id of a call must not try credentials against its reply.
            if let reply = try await repeated(request, context, holdsSecret: true) { return reply }
            refused(refusal)
            throw Self.wrongCredentials
        }
        return try await change(request, context, holdsSecret: true) { change in
            // Read again: a block may have been committed since.
            guard let person = try change.records.person(proven.person.id, tenant: tenant), !person.isBlocked else {
                throw Self.wrongCredentials
            }
            guard try Self.consume(proven, change) else { throw Self.wrongCredentials }
            var reply = StartSessionReply()
            reply.person = try change.records.record(person)
            let hasPhone = try change.records.devices(of: person.id, tenant: tenant).contains { $0.state == .active }
            if proven.pass == nil, hasPhone {
                reply.needsSecondFactor = true
                return reply
            }
            let (token, session) = try Self.open(
                person, by: proven.pass == nil ? .password(place) : .pass(place), change)
            reply.sessionToken = token
            reply.expiresAtMs = session.expiresAt.milliseconds
            return reply
        }
    }

    static let wrongCredentials = ServiceError(.invalidCredentials, "the user name or the credential is not right")

    func openSession(_ request: OpenSession, _ context: HandlerContext) async throws -> OpenSessionReply {
        let tenant = TenantID(request.tenant)
        guard !request.challengeID.isEmpty else { throw ServiceError(.malformed, "no challenge is named") }
        return try await change(request, context, holdsSecret: true) { change in
            guard let person = try change.records.person(PersonID(request.personID), tenant: tenant), !person.isBlocked
            else {
                throw ServiceError(.refused, "the sign-in is refused")
            }
            guard try change.records.take(ChallengeID(request.challengeID), tenant: tenant, at: change.at) else {
                throw ServiceError(.alreadyRedeemed, "a session has been opened with this request")
            }
            let key = SessionKey.request(ChallengeID(request.challengeID), byCode: request.amr.contains("otp"))
            let (token, session) = try Self.open(person, by: key, change)
            var reply = OpenSessionReply()
            reply.sessionToken = token
            reply.expiresAtMs = session.expiresAt.milliseconds
            reply.person = try change.records.record(person)
            return reply
        }
    }

    func resolveSession(_ request: ResolveSession, _ context: HandlerContext) async throws -> ResolveSessionReply {
        let (tenant, digest, now) = (TenantID(request.tenant), Array(request.tokenDigest), now())
        let found = try await store.lookUp { records -> (StoredSession, PersonRecord)? in
            guard let session = try records.session(digest: digest, tenant: tenant), now < session.expiresAt,
                let person = try records.person(session.person, tenant: tenant), !person.isBlocked
            else { return nil }
            return (session, try records.record(person))
        }
        guard let (found, person) = found else { throw ServiceError(.notAuthenticated, "the session has ended") }
        var session = found
        if now - session.lastUsedAt >= WebSessionRules.touchEvery {
            try await store.write { try $0.touchSession(digest: digest, tenant: tenant, at: now) }
            session.lastUsedAt = now
        }
        let expiresAt = session.expiresAt
        return ResolveSessionReply.with {
            $0.person = person
            $0.sessionID = session.id
            $0.byPass = session.isByPass
            $0.expiresAtMs = expiresAt.milliseconds
        }
    }

    func endSession(_ request: EndSession, _ context: HandlerContext) async throws -> Wire.Empty {
        let (tenant, digest) = (TenantID(request.tenant), Array(request.tokenDigest))
        try await store.write { try $0.deleteSession(digest: digest, tenant: tenant) }
        return Wire.Empty()
    }

    /// Also a sign-in of the stranger's that has been redeemed already opens no session any more; whose it is, challenge has said before.
    func endOtherSessions(_ request: EndOtherSessions, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = TenantID(request.tenant)
        return try await change(request, context) { change in
            let person = try change.records.needPerson(request.personID, tenant: tenant)
            let ended = try Self.endOthers(of: person, than: Array(request.tokenDigest), change)
            if !request.challengeID.isEmpty {
                _ = try change.records.take(ChallengeID(request.challengeID), tenant: tenant, at: change.at)
            }
            try change.audit(
                .person(person), SessionAction.endOthers, tenant: tenant, target: person.id.rawValue,
                after: ended.auditDocument(of: person))
            return Wire.Empty()
        }
    }

    /// Of two who hold a session, the one that does not ask loses it, and with it the phone that it is adding.
    @discardableResult
    static func endOthers(of person: StoredPerson, than digest: [UInt8], _ change: Change) throws -> EndedElsewhere {
        EndedElsewhere(
            sessions: try change.records.deleteSessions(of: person.id, tenant: person.tenant, except: digest),
            activations: try endActivations(of: person, .person(person), change))
    }

    private static func open(_ person: StoredPerson, by key: SessionKey, _ change: Change) throws
        -> (String, StoredSession)
    {
        let (token, digest) = Fresh.secret()
        let session = StoredSession(
            tenant: person.tenant, digest: digest, id: Fresh.id(), person: person.id, isByPass: key.isPass,
            createdAt: change.at,
            lastUsedAt: change.at)
        try change.records.insert(session)
        try change.audit(
            .person(person), key.action, tenant: person.tenant, target: person.id.rawValue,
            after: key.auditDocument(of: person))
        return (token, session)
    }
}

/// How much of what a person's credentials had opened came to an end.
struct EndedElsewhere {
    let sessions: Int
    /// Phones that were being added.
    let activations: Int

    var isNothing: Bool { sessions == 0 && activations == 0 }

    func auditDocument(of person: StoredPerson) -> JSONValue {
        [
            "username": .string(person.username), "sessions": .integer(Int64(sessions)),
            "activations": .integer(Int64(activations)),
        ]
    }
}

/// What opened a session.
private enum SessionKey {
    case password(Wire.RequestContext)
    case pass(Wire.RequestContext)
    case request(ChallengeID, byCode: Bool)

    var isPass: Bool { if case .pass = self { true } else { false } }

    var action: String {
        switch self {
        case .password, .pass: SessionAction.openByCredential
        case .request: SessionAction.open
        }
    }

    /// Where from, for those that are in no sign-in log.
    func auditDocument(of person: StoredPerson) -> JSONValue {
        let members: [String: JSONValue] =
            switch self {
            case .password(let place): place.auditMembers.merging(["method": "password"]) { $1 }
            case .pass(let place): place.auditMembers.merging(["method": "temporaryAccessPass"]) { $1 }
            case .request(let challenge, let byCode):
                ["method": byCode ? "code" : "phone", "signIn": .string(challenge.rawValue)]
            }
        return .object(members.merging(["username": .string(person.username), "byPass": .bool(isPass)]) { $1 })
    }
}

extension StartSession {
    fileprivate var withoutContext: StartSession {
        var request = self
        request.clearContext()
        return request
    }
}

extension StoredSession {
    var expiresAt: Timestamp { WebSessionRules.expiry(createdAt: createdAt, lastUsedAt: lastUsedAt) }
}
