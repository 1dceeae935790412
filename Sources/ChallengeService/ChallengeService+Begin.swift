import Domain
import Foundation
import Messaging
import Proofs
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Telemetry
import Wire

extension ChallengeService {
    /// Begins a request of an application. Whoever the name belongs to, and whether it can reach a phone, takes one question to
    /// registration, one commit with the same writes, and a reply of the same shape.
    func begin(_ request: BeginChallenge, _ context: HandlerContext) async throws -> BeginChallengeReply {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        guard let factor = Factor(rawValue: request.factor) else { throw ServiceError(.malformed, "unknown factor") }
        guard Username.isValid(request.username) else { throw ServiceError(.invalidUsername, Username.rule) }
        let question = ResolvePerson.with {
            $0.tenant = request.tenant
            $0.username = request.username
        }
        let found = try await caller.call(question, context.call.child(ResolvePerson.method.id))
        let admission = Admission(found, factor: factor, policy: tenant.policy)
        let draft = RequestDraft(
            request: request, factor: factor, tenant: tenant, admission: admission, time: now())
        let randomBytes = randomBytes
        let (reply, begun) = try await begins.inTurn(of: [request.tenant, draft.person.rawValue]) {
            try await once.perform(request.withoutPlaceOfBrowser, context, holdsSecret: true) {
                (records: any ChallengeRecords) -> (BeginChallengeReply, Begun) in
                let ((reply, rules), effects) = try self.transaction(
                    records, tenant, at: draft.time, for: context.call
                ) { try draft.begin(in: &$0, randomBytes) }
                return (reply, Begun(isDecoy: rules.isDecoy, effects: effects))
            }
        }
        // Whoever made what a repeat finds does what follows, or has left it to be found in the store.
        if let begun {
            perform(begun.effects)
            metrics.begun.increment(draft.purpose.rawValue, ChallengeMetrics.kind(isDecoy: begun.isDecoy))
        }
        return reply
    }

    private struct Begun: Sendable {
        let isDecoy: Bool
        let effects: ChallengeTransaction.Effects
    }
}

extension BeginChallenge {
    /// A browser that asks again from another address, or after its tenant was named anew, asks the same. An application's context is
    /// its own, and part of what it asks.
    fileprivate var withoutPlaceOfBrowser: BeginChallenge {
        guard !owner.browserDigest.isEmpty else { return self }
        var request = self
        request.clearContext()
        request.application = ""
        return request
    }
}

/// A request of an application before it is stored.
struct RequestDraft: Sendable {
    let request: BeginChallenge
    let factor: Factor
    let tenant: TenantView
    let admission: Admission
    let time: Timestamp

    var purpose: Purpose { factor == .passwordless ? .signIn : .secondFactor }

    /// Whose requests are counted: asked for everybody, under a person id that nobody has where the name is unknown.
    var person: PersonID { admission.person?.id ?? ChallengeTransaction.nobody(request.username) }

    func begin(in transaction: inout ChallengeTransaction, _ randomBytes: (Int) -> [UInt8]) throws
        -> (BeginChallengeReply, ChallengeMachine.Rules)
    {
        let settings = tenant.settings
        let person = person
        let open = try transaction.openChallenges(of: person)
        // After what has lapsed is settled: so every transaction comes to the challenges first.
        try transaction.takeTurn(of: person)
        let budget = try transaction.budget(of: person)
        let openCount = open.count { !$0.isDecoy && $0.factor != nil }
        let refusal = admission.refusal ?? (openCount >= settings.openRequestsPerPerson ? .tooManyOpen : nil)

        let id = ChallengeID(Base64URL.random(18, randomBytes))
        let secret = Base64URL.random(32, randomBytes)
        let digits = settings.digits(riskRaised: budget.isRiskRaised(at: time))
        let expiresAt = time + .seconds(settings.requestLifetimeSeconds)
        let content = content(id, expiresAt: expiresAt, digits: digits)
        var begin = ChallengeRecord.Begin(
            id: id, tenant: tenant.id, purpose: purpose, username: request.username,
            number: MatchingNumber.random(digits: digits, randomBytes), content: content.json, createdAt: time)
        begin.person = admission.person
        begin.owner = ChallengeRecord.Owner(request.owner)
        begin.secretDigest = sha256(Array(secret.utf8))
        begin.isSilenced = refusal == nil && budget.isSilent(at: time)
        begin.takesCodeInEveryMode = request.anyModeCode
        begin.trace = transaction.trace
        begin.targets = refusal == nil ? admission.devices.map { DeviceID($0.id) } : []
        let rules = ChallengeMachine.Rules(
            expiresAt: expiresAt, redeemWindow: .seconds(settings.redeemWindowSeconds), isDecoy: refusal != nil)
        let challenge = ChallengeRecord(
            begin, machine: ChallengeMachine(rules: rules, wrongNumbers: settings.wrongNumbersPerRequest))
        try transaction.begin(challenge, line: line(challenge, refusal, transaction.origin), show: notify(challenge))
        let reply = BeginChallengeReply.with {
            $0.id = id.rawValue
            $0.secret = secret
            $0.number = challenge.number
            $0.createdAtMs = time.milliseconds
            $0.expiresAtMs = expiresAt.milliseconds
            $0.methods = ["push", "code"]
        }
        return (reply, rules)
    }

    private func content(_ id: ChallengeID, expiresAt: Timestamp, digits: Int) -> ChallengeContent {
        var shown = ChallengeContent.Origin(userAgent: request.context.userAgent.nonEmpty)
        if admission.verdict.showsApplication { shown.application = request.application.nonEmpty }
        // Where a request came from is its address; nothing here can say more about the place.
        if admission.verdict.showsLocation { shown.ipAddress = request.context.ipAddress.nonEmpty }
        return ChallengeContent(
            id: id, tenant: tenant.id, user: admission.person?.username ?? request.username, origin: shown,
            issuedAt: time,
            expiresAt: expiresAt, numberDigits: digits)
    }

    private func line(_ challenge: ChallengeRecord, _ refusal: SignInReason?, _ origin: RequestID) -> SignInRecord {
        var line = SignInRecord(challenge, origin: origin)
        line.application = request.application
        line.ipAddress = request.context.ipAddress
        line.userAgent = request.context.userAgent
        line.reason = refusal
        return line
    }

    private func notify(_ challenge: ChallengeRecord) -> Notify {
        let devices = challenge.targets.isEmpty ? [] : admission.devices
        return Notify(
            showing: challenge,
            targets: devices.map { device in
                NotifyTarget.with {
                    $0.deviceID = device.id
                    $0.push = device.push
                }
            })
    }
}

extension Notify {
    init(showing challenge: ChallengeRecord, targets: [NotifyTarget]) {
        self = .with {
            $0.tenant = challenge.tenant.rawValue
            $0.challengeID = challenge.id.rawValue
            $0.targets = targets
            $0.event = DeviceEvent.challenge.rawValue
            $0.purpose = challenge.purpose.rawValue
            $0.content = Data(challenge.content)
            $0.expiresAtMs = challenge.machine.rules.expiresAt.milliseconds
        }
    }
}

extension SignInRecord {
    init(_ challenge: ChallengeRecord, origin: RequestID) {
        self.init(
            id: challenge.id, tenant: challenge.tenant, at: challenge.createdAt, username: challenge.username,
            person: challenge.person?.id, purpose: challenge.purpose)
        client = challenge.owner.client
        requestID = origin.description
        isDecoy = challenge.isDecoy
        isSilenced = challenge.isSilenced
        device = challenge.onlyDevice
    }
}

extension ChallengeRecord.Owner {
    init(_ owner: Ownership) {
        self.init(
            client: owner.clientID.nonEmpty.map(ClientID.init(rawValue:)), browserDigest: Array(owner.browserDigest))
    }
}
