import Domain
import Logging
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Synchronization
import Wire

/// What somebody claims to be theirs.
enum Claim: Sendable {
    case password([UInt8])
    case pass([UInt8])
}

/// A claim that proved right.
struct Proven: Sendable {
    let person: StoredPerson
    /// The pass that was shown, not used up yet.
    let pass: StoredPass?
}

/// What became of a claim.
enum ClaimVerdict: Sendable {
    case proven(Proven)
    /// Wrong, for whatever reason; nil for a name of nobody. It goes to the audit log, by `refused`, where no repeat is answered instead.
    case refused(RefusedCredential?)
}

extension RegistrationService {
    /// The largest password or pass that is looked at, in bytes of UTF-8.
    static let passwordBytesMax = 1024
    /// Of a password that is set, in code points. NIST SP 800-63B-4 section 3.1.1.2 allows 8 where a password is used only with a second
    /// factor, and wants 15 where it is the only one: it is that for a person without a phone, whose session begins with it alone.
    static let passwordCharactersMin = 8

    /// Checks a password or a pass of a user name.
    ///
    /// The attempt is counted before it is judged, by name, existing or not; an unknown name costs the same hash. Throws
    /// `tooManyAttempts`, and `overloaded` when every core is hashing already.
    func prove(_ claim: Claim, username: String, tenant: TenantID, for use: CredentialUse) async throws
        -> ClaimVerdict
    {
        let name = FoldedUsername(username)
        let at = now()
        let (person, pass) = try await admit(name, tenant: tenant, at: at)
        let isRight: Bool
        do {
            switch claim {
            case .password(let bytes): isRight = try await check(bytes, against: person?.passwordHash)
            case .pass(let bytes):
                let text = TemporaryAccessPass.normalized(
                    String(decoding: bytes.prefix(Self.passwordBytesMax), as: UTF8.self))
                isRight = try await check(
                    Array(text.utf8), against: pass.flatMap { $0.isUsable(at: at) ? $0.hash : nil })
            }
        } catch {
            await uncount(at, name, tenant)
            throw error
        }
        let credential: RegistrationMetrics.Credential = if case .pass = claim { .pass } else { .password }
        guard isRight, let person, !person.isBlocked else {
            metrics.checked(credential, correct: false)
            return .refused(person.map { RefusedCredential(credential, of: $0, for: use, at: at) })
        }
        metrics.checked(credential, correct: true)
        guard credential == .password else { return .proven(Proven(person: person, pass: pass)) }
        // A pass is right only once it has been used up: that transaction forgives.
        try await store.write { try Self.forgive(name, tenant: tenant, $0) }
        return .proven(Proven(person: person, pass: nil))
    }

    /// What was not judged does not count. A task of its own: the caller's may have been cancelled, and it counts all the less then.
    private func uncount(_ at: Timestamp, _ name: FoldedUsername, _ tenant: TenantID) async {
        let store = store
        let uncounting = Task {
            try await store.write { records in
                var attempts = try records.attempts(name, tenant: tenant, rules: .passwords)
                attempts.uncount(at)
                try records.save(attempts, name: name, tenant: tenant)
            }
        }
        if case .failure = await uncounting.result { logger.warning("an attempt that was not judged stays counted") }
    }

    static func forgive(_ name: FoldedUsername, tenant: TenantID, _ records: any RegistrationRecords) throws {
        var attempts = try records.attempts(name, tenant: tenant, rules: .passwords)
        attempts.succeed()
        try records.save(attempts, name: name, tenant: tenant)
    }

    /// Uses the pass up, as part of what it is shown for. False when another has: of two that show a single-use pass at once, one
    /// gets through. A password must still be the one that was checked: it may have been changed while it was hashed.
    static func consume(_ proven: Proven, _ change: Change) throws -> Bool {
        guard let pass = proven.pass else {
            let person = try change.records.person(proven.person.id, tenant: proven.person.tenant)
            return person?.passwordHash == proven.person.passwordHash
        }
        guard try change.records.consumePass(pass.id, of: pass.person, tenant: pass.tenant, at: change.at) else {
            return false
        }
        try forgive(FoldedUsername(proven.person.username), tenant: pass.tenant, change.records)
        return true
    }

    /// Whoever knew the old password keeps nothing that it opened: no session, no request, and no phone that waits for its number.
    static func passwordChanged(_ person: StoredPerson, _ actor: Actor, _ change: Change) throws {
        try change.records.deleteSessions(of: person.id, tenant: person.tenant, except: [])
        try change.cancelRequests(.passwordChanged, tenant: person.tenant, person: person.id)
        try endActivations(of: person, actor, change)
    }

    /// No phone that is being added for the person gets further. Returns how many were, and still had the time.
    @discardableResult
    static func endActivations(
        of person: StoredPerson, except session: String? = nil, _ actor: Actor, _ change: Change
    ) throws -> Int {
        var count = 0
        for activation in try change.records.openActivations(of: person.id, tenant: person.tenant)
        where session == nil || activation.session != session {
            if activation.machine.state(at: change.at) != .expired { count += 1 }
            if let id = activation.machine.device,
                let device = try change.records.device(id, tenant: person.tenant)
            {
                try remove(device, actor, change)
            } else {
                try withdraw(activation, change)
            }
        }
        return count
    }

    /// The remembered reply of this very request, and of no other: to a caller whose credential is wrong, that another request had
    /// this id says too much.
    func repeated<Request: ServiceRequest>(
        _ request: Request, _ context: HandlerContext, holdsSecret: Bool = false
    ) async throws -> Request.Reply? {
        do {
            return try await once.replay(request, context, holdsSecret: holdsSecret)
        } catch let error as ServiceError where error.code == .idempotencyMismatch {
            return nil
        }
    }

    private func admit(_ name: FoldedUsername, tenant: TenantID, at: Timestamp) async throws -> (
        StoredPerson?, StoredPass?
    ) {
        try await store.write { records in
            var attempts = try records.attempts(name, tenant: tenant, rules: .passwords)
            if case .wait(let pause) = attempts.admit(at: at) {
                throw ServiceError(.tooManyAttempts, "too many attempts; try again later", retryAfter: pause)
            }
            try records.save(attempts, name: name, tenant: tenant)
            let person = try records.person(named: name, tenant: tenant)
            return (person, try person.flatMap { try records.pass(of: $0.id, tenant: tenant) })
        }
    }

    func check(_ bytes: [UInt8], against hash: String?) async throws(ServiceError) -> Bool {
        let isSane = (1...Self.passwordBytesMax).contains(bytes.count)
        do {
            // The same work for whatever was sent, so that time tells nothing.
            return try await hasher.verify(isSane ? bytes : [0], against: isSane ? hash : nil) && isSane
        } catch {
            throw Self.serviceError(error)
        }
    }

    /// Throws `invalidValue` for what may not be set as a password.
    static func checkLength(ofPassword bytes: [UInt8]) throws(ServiceError) {
        guard String(decoding: bytes, as: UTF8.self).unicodeScalars.count >= passwordCharactersMin else {
            throw ServiceError(
                .invalidValue, "a password has \(passwordCharactersMin) or more characters",
                members: ["reason": "password_too_short", "min": "\(passwordCharactersMin)"])
        }
        guard bytes.count <= passwordBytesMax else {
            throw ServiceError(
                .invalidValue, "a password has at most \(passwordBytesMax) bytes",
                members: ["reason": "password_too_long", "max": "\(passwordBytesMax)"])
        }
    }

    func hash(_ bytes: [UInt8]) async throws(ServiceError) -> String {
        try Self.checkLength(ofPassword: bytes)
        do {
            return try await hasher.hash(bytes)
        } catch {
            throw Self.serviceError(error)
        }
    }

    private static func serviceError(_ error: SecretsError) -> ServiceError {
        switch error {
        case .busy: ServiceError(.overloaded, "every core hashes a password already", retryAfter: .seconds(1))
        default: ServiceError(.unavailable, "passwords cannot be hashed", retryAfter: .seconds(1))
        }
    }

    func verifyPassword(_ request: VerifyPassword, _ context: HandlerContext) async throws -> VerifyPasswordReply {
        let tenant = TenantID(request.tenant)
        _ = try tenants.tenant(tenant)
        let verdict = try await prove(
            .password(Array(request.password)), username: request.username, tenant: tenant,
            for: CredentialUse(.code, context))
        switch verdict {
        case .proven(let proven):
            return VerifyPasswordReply.with { ($0.correct, $0.personID) = (true, proven.person.id.rawValue) }
        case .refused(let refusal):
            refused(refusal)
            return VerifyPasswordReply()
        }
    }
}
