import Domain
import Failpoints
import Foundation
import Messaging
import ServiceKit
import Storage
import SwiftProtobuf
import Wire

extension ChallengeService {
    /// Turns an approval into a sign-in, once. With `wait_ms` it first waits for the settlement.
    func redeem(_ request: Redeem, _ context: HandlerContext) async throws -> RedeemReply {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        let claim = Claim(
            tenant: request.tenant, id: request.id, secretDigest: request.secretDigest, owner: request.owner)
        if request.waitMs > 0 { _ = try await settled(claim, waitingAtMost: .milliseconds(Int64(request.waitMs))) }
        TransactionOrigin.current?.beginWork()
        let time = now()
        // How long a repeat wants to wait does not make it another request.
        var keyed = request
        keyed.waitMs = 0
        let (reply, effects) = try await once.perform(keyed, context, holdsSecret: true) {
            (records: any ChallengeRecords) -> (RedeemReply, ChallengeTransaction.Effects) in
            var challenge = try claim.challenge(in: records)
            switch challenge.machine.redeem(at: time) {
            case .redeemed: break
            case .alreadyRedeemed where Mutation.redeemAgain.isMade: break
            case .alreadyRedeemed: throw ServiceError(.alreadyRedeemed, "the sign-in has been redeemed")
            case .notApproved: throw ServiceError(.notApproved, "the sign-in is not approved")
            case .expired: throw ServiceError(.expired, "the sign-in has expired")
            }
            return try self.transaction(records, tenant, at: time, for: context.call) {
                try $0.store(challenge, .init())
                return RedeemReply(challenge)
            }
        }
        if let effects { perform(effects) }
        return reply
    }

    func cancel(_ request: CancelChallenge, _ context: HandlerContext) async throws -> Wire.Empty {
        let tenant = try tenants.tenant(TenantID(request.tenant))
        let claim = Claim(
            tenant: request.tenant, id: request.id, secretDigest: request.secretDigest, owner: request.owner)
        let effect = try await write(tenant, context.call) {
            (transaction: inout ChallengeTransaction) -> ChallengeMachine.CancelEffect in
            var challenge = try claim.challenge(in: transaction.records)
            let effect = challenge.machine.cancel(at: transaction.time)
            switch effect {
            case .canceled: try transaction.settle(challenge, .init(reason: .canceled, budget: .missed))
            case .expired: try transaction.lapse(challenge)
            case .alreadyCanceled, .alreadySettled: break
            }
            return effect
        }
        switch effect {
        case .canceled, .alreadyCanceled: return Wire.Empty()
        case .alreadySettled: throw ServiceError(.settled, "the sign-in has been settled")
        case .expired: throw ServiceError(.expired, "the sign-in has expired")
        }
    }
}

extension RedeemReply {
    init(_ challenge: ChallengeRecord) {
        self.init()
        personID = challenge.person?.id.rawValue ?? ""
        username = challenge.person?.username ?? ""
        displayName = challenge.person?.displayName ?? ""
        method = challenge.machine.state.method?.rawValue ?? ""
        authTimeMs = challenge.machine.state.settledAt?.milliseconds ?? 0
        (amr, acr) = Self.assurance(challenge)
        if let receipt = challenge.receipt {
            self.receipt = receipt.answer
            receiptContent = Data(challenge.content)
            receiptKey = Data(receipt.key)
        }
    }

    /// What happened and no more (RFC 8176: a key in software, a person's presence, a one-time password, a password): none of
    /// these resists a phishing proxy.
    private static func assurance(_ challenge: ChallengeRecord) -> (amr: [String], acr: String) {
        switch challenge.machine.state.method {
        case .push: (["swk", "user"], "urn:countersign:acr:phone-number-matching")
        case .code where challenge.isPasswordVerified: (["pwd", "otp"], "urn:countersign:acr:password-and-code")
        case .code: (["otp"], "urn:countersign:acr:code")
        case nil: ([], "")
        }
    }
}
