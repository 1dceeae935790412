import Authenticator
import DeviceAPI
import Domain
import Foundation
import Messaging
import Proofs
import Secrets
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Sign-ins over the bus, as the gateway makes them: for rounds that are too many for HTTP.
struct BusRound: Sendable {
    /// A request that a phone can answer.
    struct Open: Sendable {
        let id: String
        let secretDigest: Data
        let number: String
        let content: Data
    }

    let stack: FlowStack
    let tenant: Tenancy
    let someone: Someone
    let signer: SoftwareDeviceSigner

    init(_ tenant: Tenancy, _ someone: Someone) async throws {
        stack = tenant.stack
        self.tenant = tenant
        self.someone = someone
        signer = try await someone.phone.signer()
    }

    /// People with phones, one for each lane, so that rounds in several lanes do not meet each other's limits.
    static func lanes(_ count: Int, _ tenant: Tenancy) async throws -> [BusRound] {
        var lanes: [BusRound] = []
        for index in 0..<count { lanes.append(try await BusRound(tenant, tenant.someone("person-\(index)"))) }
        return lanes
    }

    /// Runs `rounds` rounds, spread over the lanes.
    static func run(
        _ rounds: Int, in lanes: [BusRound], _ round: @escaping @Sendable (BusRound, Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, lane) in lanes.enumerated() {
                group.addTask {
                    for number in stride(from: index, to: rounds, by: lanes.count) { try await round(lane, number) }
                }
            }
            try await group.waitForAll()
        }
    }

    private var owner: Ownership { .with { $0.clientID = tenant.application.id } }

    func begin(_ context: CallContext? = nil) async throws -> BeginChallengeReply {
        let request = BeginChallenge.with {
            $0.tenant = tenant.id.rawValue
            $0.username = someone.name
            $0.factor = Factor.passwordless.rawValue
            $0.application = "Payroll"
            $0.owner = owner
        }
        return try await stack.bus(.gateway).call(request, context ?? stack.context())
    }

    /// Begins a request and lists it, as the phone would.
    func open() async throws -> Open {
        let begun = try await begin()
        let pending = try await stack.bus(.gateway).call(
            ListPending.with {
                $0.tenant = tenant.id.rawValue
                $0.personID = someone.user.id
                $0.deviceID = someone.account.rawValue
            }, stack.context())
        let challenge = try #require(pending.challenges.first { $0.id == begun.id })
        return Open(
            id: begun.id, secretDigest: Data(sha256(Array(begun.secret.utf8))), number: begun.number,
            content: challenge.content)
    }

    /// A signed answer.
    func answer(_ open: Open, _ choice: AnswerClaims.Choice) async throws -> VerifyAnswer {
        let audience = "\(FlowTransport.externalURL)/\(tenant.id)"
        let text = try await AnswerClaims(
            audience: audience, challenge: ChallengeID(open.id), choice: choice,
            contentDigest: contentDigest(Array(open.content)), issuedAt: stack.clock.now
        ).signed(by: signer, device: DeviceID(someone.account.rawValue))
        return VerifyAnswer.with {
            $0.tenant = tenant.id.rawValue
            $0.challengeID = open.id
            $0.answer = text
            $0.audience = audience
        }
    }

    /// What verifier tells challenge once it has checked an answer's signature.
    func settlement(_ open: Open, _ decision: Decision) -> Settle {
        .with {
            $0.tenant = tenant.id.rawValue
            $0.challengeID = open.id
            $0.deviceID = someone.account.rawValue
            $0.personID = someone.user.id
            $0.decision = decision.rawValue
            $0.number = decision == .approve ? open.number : ""
            $0.contentDigest = Data(sha256(Array(open.content)))
            $0.answer = "\(decision) of \(open.id)"
            $0.deviceKey = Data(signer.publicKey.x963)
            $0.facts = .with {
                $0.platform = Platform.ios.rawValue
                $0.osVersion = "17.2"
                $0.appVersion = "1.0.0"
            }
            $0.phoneSignIn = true
            $0.deviceState = DeviceState.active.rawValue
        }
    }

    func approve(_ open: Open) async throws {
        let reply = try await stack.bus(.verifier).call(settlement(open, .approve), stack.context())
        #expect(reply.status == "approved")
    }

    func redemption(_ open: Open) -> Redeem {
        .with {
            $0.tenant = tenant.id.rawValue
            $0.id = open.id
            $0.secretDigest = open.secretDigest
            $0.owner = owner
        }
    }

    func outcome(_ open: Open, waiting: UInt32 = 0) async throws -> OutcomeReply {
        let request = AwaitOutcome.with {
            $0.tenant = tenant.id.rawValue
            $0.id = open.id
            $0.secretDigest = open.secretDigest
            $0.owner = owner
            $0.waitMs = waiting
        }
        return try await stack.bus(.gateway).call(request, stack.context())
    }

    /// The reply of a call, or what it was refused with.
    func result<Request: ServiceRequest>(_ request: Request, by bus: MessageBus) async -> Result<
        Request.Reply, ServiceError
    > {
        do {
            return .success(try await bus.call(request, stack.context()))
        } catch {
            return .failure(error)
        }
    }
}
