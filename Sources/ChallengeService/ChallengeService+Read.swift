import Domain
import Foundation
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Synchronization
import Wire

/// What a caller must hold to see a request of an application.
struct Claim: Sendable {
    let tenant: TenantID
    let id: ChallengeID
    let secretDigest: [UInt8]
    let owner: ChallengeRecord.Owner

    init(tenant: String, id: String, secretDigest: Data, owner: Ownership) {
        self.tenant = TenantID(tenant)
        self.id = ChallengeID(id)
        self.secretDigest = Array(secretDigest)
        self.owner = ChallengeRecord.Owner(owner)
    }

    /// The challenge, or `notFound`: one answer for an unknown id, a wrong secret and another's request, so that ids tell nothing.
    func challenge(in records: any ChallengeRecords) throws -> ChallengeRecord {
        guard let challenge = try records.challenge(id, tenant: tenant), opens(challenge) else {
            throw ServiceError(.notFound, "no such sign-in")
        }
        return challenge
    }

    private func opens(_ challenge: ChallengeRecord) -> Bool {
        // A device's own challenge has no secret: nobody opens it.
        guard !challenge.secretDigest.isEmpty, constantTimeEquals(challenge.secretDigest, secretDigest) else {
            return false
        }
        if !challenge.owner.browserDigest.isEmpty {
            return constantTimeEquals(challenge.owner.browserDigest, owner.browserDigest)
        }
        return owner.browserDigest.isEmpty && challenge.owner.client != nil && challenge.owner.client == owner.client
    }
}

extension ChallengeService {
    func awaitOutcome(_ request: AwaitOutcome, _ context: HandlerContext) async throws -> OutcomeReply {
        let claim = Claim(
            tenant: request.tenant, id: request.id, secretDigest: request.secretDigest, owner: request.owner)
        return OutcomeReply(try await settled(claim, waitingAtMost: .milliseconds(Int64(request.waitMs))), at: now())
    }

    /// The challenge as soon as it is settled, or as it is when the wait ends. It is woken by the change; it never polls.
    func settled(_ claim: Claim, waitingAtMost wait: Duration) async throws -> ChallengeRecord {
        let read = { try await self.store.lookUp { try claim.challenge(in: $0) } }
        guard wait > .zero else { return try await read() }
        let end = now() + min(wait, configuration.waitMax)
        return try await outcomes.watching(claim.id) { changed in
            var isTimed = false
            while true {
                let seen = changed.count
                let challenge = try await read()
                // A change that settles nothing, as a wrong number with tries left, ends no wait.
                if challenge.machine.isSettled(at: now()) || now() >= end || isStopping.load(ordering: .acquiring) {
                    return challenge
                }
                try Task.checkCancellation()
                if !isTimed { deadlines.add(.waitEnds(claim.id), at: end) }
                isTimed = true
                await changed.wait(past: seen)
            }
        }
    }

    func listPending(_ request: ListPending, _ context: HandlerContext) async throws -> ListPendingReply {
        let (tenant, person, device) = (
            TenantID(request.tenant), PersonID(request.personID), DeviceID(request.deviceID)
        )
        let time = now()
        let live = try await store.lookUp { try $0.liveChallenges(tenant: tenant, person: person) }
        return ListPendingReply.with {
            $0.challenges = live.filter { challenge in
                !challenge.isDecoy && challenge.targets.contains(device)
                    && challenge.machine.status(at: time) == .pending
            }.map(PendingChallenge.init)
        }
    }

    func listSignIns(_ request: ListSignIns, _ context: HandlerContext) async throws -> ListSignInsReply {
        let tenant = try tenants.tenant(TenantID(request.tenant)).id
        let filter = try SignInFilter(request)
        let limit = try Paging.limit(of: request.page)
        // One more than asked for tells whether there is a next page.
        let lines = try await store.read { try $0.signIns(tenant: tenant, filter, limit: limit + 1) }
        let page = try Paging.cut(lines, to: limit) { try SignInEntry($0).serializedData().count }
        return ListSignInsReply.with {
            $0.entries = page.rows.map(SignInEntry.init)
            if page.isCut, let last = page.rows.last {
                $0.next = SignInFilter.Position(at: last.at, id: last.id).cursor
            }
        }
    }
}

extension OutcomeReply {
    /// `reason` only where it was denied, `method` only where it was approved.
    init(_ challenge: ChallengeRecord, at time: Timestamp) {
        let status = challenge.machine.status(at: time)
        self = .with {
            $0.id = challenge.id.rawValue
            $0.status = status.rawValue
            if status == .denied { $0.reason = challenge.machine.state.reason?.rawValue ?? "" }
            if status == .approved || status == .redeemed { $0.method = challenge.machine.state.method?.rawValue ?? "" }
            $0.expiresAtMs = challenge.machine.rules.expiresAt.milliseconds
        }
    }
}

extension PendingChallenge {
    init(_ challenge: ChallengeRecord) {
        self = .with {
            $0.id = challenge.id.rawValue
            $0.purpose = challenge.purpose.rawValue
            $0.content = Data(challenge.content)
            $0.expiresAtMs = challenge.machine.rules.expiresAt.milliseconds
            $0.silenced = challenge.isSilenced
        }
    }
}
