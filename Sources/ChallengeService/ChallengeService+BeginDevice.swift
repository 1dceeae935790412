import Domain
import Foundation
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Telemetry
import Wire

extension ChallengeService {
    /// Begins a challenge that one device has to answer for itself: its registration, or its phone sign-in. The id is the
    /// caller's, so a repeat finds the first one and gets the same number.
    func beginForDevice(_ request: BeginDeviceChallenge, _ context: HandlerContext) async throws
        -> BeginDeviceChallengeReply
    {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        guard let purpose = Purpose(rawValue: request.purpose), purpose == .registration || purpose == .phoneSignInSetup
        else {
            throw ServiceError(.malformed, "not a purpose of a device's own challenge")
        }
        guard !request.id.isEmpty, !request.deviceID.isEmpty, !request.personID.isEmpty else {
            throw ServiceError(.malformed, "a device's challenge names itself, the device and the person")
        }
        let randomBytes = randomBytes
        let challenge = try await write(tenant, context.call) {
            (transaction: inout ChallengeTransaction) -> ChallengeRecord in
            let id = ChallengeID(request.id)
            if let existing = try transaction.records.challenge(id, tenant: tenant.id) {
                guard existing.purpose == purpose, existing.onlyDevice == DeviceID(request.deviceID) else {
                    throw ServiceError(.conflict, "the id belongs to another challenge")
                }
                return existing
            }
            let challenge = try Self.draft(request, purpose, in: transaction, randomBytes)
            var line = SignInRecord(challenge, origin: context.call.originID)
            line.application = request.application
            let target = NotifyTarget.with {
                $0.deviceID = request.deviceID
                $0.push = request.push
            }
            try transaction.begin(challenge, line: line, show: Notify(showing: challenge, targets: [target]))
            return challenge
        }
        metrics.begun.increment(purpose.rawValue, ChallengeMetrics.kind(isDecoy: false))
        return BeginDeviceChallengeReply.with {
            $0.number = challenge.number
            $0.expiresAtMs = challenge.machine.rules.expiresAt.milliseconds
        }
    }

    private static func draft(
        _ request: BeginDeviceChallenge, _ purpose: Purpose, in transaction: ChallengeTransaction,
        _ randomBytes: (Int) -> [UInt8]
    ) throws -> ChallengeRecord {
        let (tenant, time) = (transaction.tenant, transaction.time)
        let person = PersonID(request.personID)
        let digits = tenant.settings.digits(riskRaised: try transaction.budget(of: person).isRiskRaised(at: time))
        let expiresAt =
            request.expiresAtMs > 0
            ? Timestamp(milliseconds: request.expiresAtMs) : time + .seconds(tenant.settings.requestLifetimeSeconds)
        let content = ChallengeContent(
            id: ChallengeID(request.id), tenant: tenant.id, user: request.username,
            origin: .init(application: request.application.nonEmpty),
            issuedAt: time, expiresAt: expiresAt, numberDigits: digits)
        var begin = ChallengeRecord.Begin(
            id: content.id, tenant: tenant.id, purpose: purpose, username: request.username,
            number: MatchingNumber.random(digits: digits, randomBytes), content: content.json, createdAt: time)
        begin.person = .init(id: person, username: request.username, displayName: "", groups: [], mayUseCodes: false)
        begin.onlyDevice = DeviceID(request.deviceID)
        begin.trace = transaction.trace
        begin.targets = [DeviceID(request.deviceID)]
        // A wrong number ends an activation, whatever the tenant allows elsewhere.
        let wrongNumbers = purpose == .registration ? 1 : tenant.settings.wrongNumbersPerRequest
        let machine = ChallengeMachine(
            rules: .init(expiresAt: expiresAt, redeemWindow: nil, isDecoy: false), wrongNumbers: wrongNumbers)
        return ChallengeRecord(begin, machine: machine)
    }
}
