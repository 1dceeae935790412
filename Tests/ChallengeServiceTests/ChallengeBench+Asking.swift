import Domain
import Foundation
import Messaging
import Secrets
import Storage
import SwiftProtobuf
import Wire

/// A request that an application has begun, and what it holds of it.
struct Begun: Sendable {
    let reply: BeginChallengeReply
    let tenant: String
    var owner: Ownership
    var secretDigest: Data

    var id: String { reply.id }
    var number: String { reply.number }

    init(_ reply: BeginChallengeReply, _ request: BeginChallenge) {
        self.reply = reply
        tenant = request.tenant
        owner = request.owner
        secretDigest = Data(sha256(Array(reply.secret.utf8)))
    }

    /// A number that is not the one.
    var wrongNumber: String { number.hasPrefix("1") ? "2" + number.dropFirst() : "1" + number.dropFirst() }
}

extension ChallengeBench {
    static let client = Ownership.with { $0.clientID = "payroll" }

    func request(
        _ username: String = "alice", _ factor: Factor = .passwordless, tenant: TenantID = demo,
        _ change: (inout BeginChallenge) -> Void = { _ in }
    ) -> BeginChallenge {
        var request = BeginChallenge.with {
            $0.tenant = tenant.rawValue
            $0.username = username
            $0.factor = factor.rawValue
            $0.application = "Payroll"
            $0.context.ipAddress = "203.0.113.7"
            $0.context.userAgent = "Browser"
            $0.owner = Self.client
        }
        change(&request)
        return request
    }

    func begin(
        _ username: String = "alice", _ factor: Factor = .passwordless, tenant: TenantID = demo,
        id: RequestID? = nil, _ change: (inout BeginChallenge) -> Void = { _ in }
    ) async throws(ServiceError) -> Begun {
        let request = request(username, factor, tenant: tenant, change)
        return Begun(try await call(request, id: id), request)
    }

    func outcome(_ begun: Begun, waitMs: UInt32 = 0) async throws(ServiceError) -> OutcomeReply {
        try await call(
            AwaitOutcome.with {
                $0.tenant = begun.tenant
                $0.id = begun.id
                $0.secretDigest = begun.secretDigest
                $0.owner = begun.owner
                $0.waitMs = waitMs
            })
    }

    func status(_ begun: Begun) async throws(ServiceError) -> String { try await outcome(begun).status }

    func pending(_ device: String = "d1", of person: String = "p1", tenant: TenantID = demo)
        async throws(ServiceError) -> [PendingChallenge]
    {
        try await call(
            ListPending.with {
                $0.tenant = tenant.rawValue
                $0.personID = person
                $0.deviceID = device
            }
        ).challenges
    }

    func redeem(_ begun: Begun, waitMs: UInt32 = 0, id: RequestID? = nil) async throws(ServiceError) -> RedeemReply {
        try await call(
            Redeem.with {
                $0.tenant = begun.tenant
                $0.id = begun.id
                $0.secretDigest = begun.secretDigest
                $0.owner = begun.owner
                $0.waitMs = waitMs
            }, id: id)
    }

    @discardableResult
    func submit(_ code: String = Neighbours.code, password: String? = nil, to begun: Begun)
        async throws(ServiceError) -> OutcomeReply
    {
        try await call(
            SubmitCode.with {
                $0.tenant = begun.tenant
                $0.id = begun.id
                $0.secretDigest = begun.secretDigest
                $0.owner = begun.owner
                $0.code = code
                if let password { $0.password = Data(password.utf8) }
            })
    }

    func cancel(_ begun: Begun) async throws(ServiceError) {
        _ = try await call(
            CancelChallenge.with {
                $0.tenant = begun.tenant
                $0.id = begun.id
                $0.secretDigest = begun.secretDigest
                $0.owner = begun.owner
            })
    }

    /// Ends what a person, or one device, may not answer any more.
    func revoke(
        _ cause: SignInReason = .blocked, of person: String = "p1", device: String = "", tenant: TenantID = demo,
        id: RequestID? = nil
    ) async throws(ServiceError) {
        _ = try await call(
            CancelForPerson.with {
                $0.tenant = tenant.rawValue
                $0.personID = person
                $0.deviceID = device
                $0.cause = cause.rawValue
            }, from: .registration, id: id)
    }

    // MARK: the phone

    /// What verifier passes on of a genuine answer of Alice's phone. Equal arguments make the byte-identical answer.
    func answer(
        _ id: String, tenant: TenantID = demo, _ decision: Decision = .approve, number: String = "",
        _ change: (inout Settle) -> Void = { _ in }
    ) async throws -> Settle {
        let content = try await record(id, tenant: tenant)?.content ?? []
        var settle = Settle.with {
            $0.tenant = tenant.rawValue
            $0.challengeID = id
            $0.deviceID = "d1"
            $0.personID = "p1"
            $0.decision = decision.rawValue
            $0.number = number
            $0.contentDigest = Data(sha256(content))
            $0.answer = "answer.\(id).\(decision.rawValue)\(number)"
            $0.deviceKey = Data([4] + Array(repeating: 7, count: 64))
            $0.facts = .with {
                $0.name = "Phone"
                $0.platform = "ios"
                $0.osVersion = "17.2"
                $0.appVersion = "1.0.0"
            }
            $0.userVerified = true
            $0.phoneSignIn = true
            $0.deviceState = DeviceState.active.rawValue
        }
        change(&settle)
        return settle
    }

    func settle(_ answer: Settle) async throws(ServiceError) -> SettleReply { try await call(answer, from: .verifier) }

    @discardableResult
    func approve(_ begun: Begun, _ change: (inout Settle) -> Void = { _ in }) async throws -> SettleReply {
        try await settle(answer(begun.id, .approve, number: begun.number, change))
    }

    @discardableResult
    func refuse(_ begun: Begun, _ decision: Decision = .decline, _ change: (inout Settle) -> Void = { _ in })
        async throws -> SettleReply
    {
        try await settle(answer(begun.id, decision, change))
    }
}
