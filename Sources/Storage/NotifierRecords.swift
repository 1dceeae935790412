package import Domain

/// What the notifier remembers: which attempts to wake a phone it made, how they ended, and which it still owes.
package protocol NotifierRecords: DeliveryRecords, WakeUpRecords {}

/// One attempt to wake one device. It holds no push address.
package struct DeliveryRecord: Hashable, Sendable {
    /// 0 until stored.
    package var sequence: Int64
    package let tenant: TenantID
    package let challenge: ChallengeID
    package let device: DeviceID
    package let transport: String
    package let outcome: String
    package let at: Timestamp
    package let latency: Duration

    package init(
        sequence: Int64 = 0, tenant: TenantID, challenge: ChallengeID, device: DeviceID, transport: String,
        outcome: String, at: Timestamp,
        latency: Duration
    ) {
        self.sequence = sequence
        self.tenant = tenant
        self.challenge = challenge
        self.device = device
        self.transport = transport
        self.outcome = outcome
        self.at = at
        self.latency = latency
    }
}

package protocol DeliveryRecords {
    func append(_ delivery: DeliveryRecord) throws
    /// Attempts with a sequence below `before` (nil: from the newest), newest first, at most `limit`; of one challenge when given.
    func deliveries(tenant: TenantID, challenge: ChallengeID?, before: Int64?, limit: Int) throws -> [DeliveryRecord]
    /// Takes the right to ring one device once for this challenge, and one of its `limit` places with it, if one is left. Committed before
    /// anything is sent, so a repeat after a crash never rings twice.
    func claim(_ claim: DeliveryClaim, limit: Int) throws -> ClaimOutcome
    func deleteDeliveries(before time: Timestamp, limit: Int) throws -> Int
    func deleteClaims(keptUntilBefore time: Timestamp, limit: Int) throws -> Int
}

/// The one notification of a device for a challenge.
package struct DeliveryClaim: Hashable, Sendable {
    package let tenant: TenantID
    package let challenge: ChallengeID
    package let device: DeviceID
    package let keptUntil: Timestamp

    package init(tenant: TenantID, challenge: ChallengeID, device: DeviceID, keptUntil: Timestamp) {
        self.tenant = tenant
        self.challenge = challenge
        self.device = device
        self.keptUntil = keptUntil
    }
}

/// What a claim came to.
package enum ClaimOutcome: Sendable {
    /// The device is to be rung.
    case place
    /// All places of the challenge are taken: the device may get one that another cannot use.
    case noPlace
    /// It was claimed before.
    case repeated
}

package protocol WakeUpRecords {
    func append(_ wakeUp: WakeUpRecord) throws
    /// How many phones are to be rung, of each tenant, over each transport and by each service of it that has any.
    func wakeUpCounts() throws -> [WakeUpCount]
    /// Takes those of a stage and a transport that are due at `time`, at most `limit`, the longest due first. Until `until` they are the
    /// caller's alone. Each gets the next fence, by which alone it is put off or ended, and one attempt more; it says whether what came of
    /// the lease before was heard.
    func leaseWakeUps(
        _ stage: WakeUpStage, _ transport: PushTransport, at time: Timestamp, until: Timestamp, limit: Int
    ) throws -> [WakeUpRecord]
    /// When the next one of a transport that is to be sent is due; nil when none is owed.
    func nextWakeUpDue(_ transport: PushTransport) throws -> Timestamp?
    /// Sets `dueAt` and `attempts`, unless the lease has passed to another; where the request has ended, its lease alone is heard of.
    func postpone(_ wakeUp: WakeUpRecord) throws
    /// Nothing is owed any more, unless the lease has passed to another.
    func finish(_ wakeUp: WakeUpRecord) throws
    /// Nothing is owed any more, and nobody was rung: its place of the request goes to the device that has waited longest for one, to be
    /// rung at `time`. Whether there was such a device. Nothing changes when the lease has passed to another.
    func passPlace(of wakeUp: WakeUpRecord, at time: Timestamp) throws -> Bool
    /// It was sent, and is kept as `rung` until its request has ended; if that has ended meanwhile, it is to be taken back at `time`.
    /// Nothing changes when the lease has passed to another.
    func keep(_ wakeUp: WakeUpRecord, at time: Timestamp) throws
    /// Whether something of this request is owed or kept.
    func holdsWakeUps(of challenge: ChallengeID, tenant: TenantID) throws -> Bool
    /// Those that are due, or whose lease ends, after `time`, at most `limit`; returns them.
    func deleteWakeUps(_ stage: WakeUpStage, _ transport: PushTransport, dueAfter time: Timestamp, limit: Int) throws
        -> [WakeUpRecord]
    /// The request has ended. What was never tried is deleted, what is in reserve too, and what rang the device that answered, or has expired. The rest is
    /// `withdraw`: due at `time` if it was sent; what is being sent, or has been tried, when its lease or its pause is over, unless `keep`
    /// says before that it was sent. What was not sent before it expired stays `ring`, and what a lease is for that was not heard of
    /// becomes `rung` where its device has answered: both are to be written down.
    func withdrawWakeUps(of challenge: ChallengeID, tenant: TenantID, answeredBy device: DeviceID?, at time: Timestamp)
        throws
    /// Those that were due, and whose requests ended by expiry, before `time`, at most `limit`; returns them.
    func deleteWakeUps(
        _ stage: WakeUpStage, _ transport: PushTransport, expiredBefore time: Timestamp, limit: Int
    ) throws -> [WakeUpRecord]
}

/// How many phones of one tenant are to be rung over one transport, by one service of it.
package struct WakeUpCount: Hashable, Sendable {
    package let tenant: TenantID
    package let transport: PushTransport
    package let service: String
    package let number: Int

    package init(tenant: TenantID, transport: PushTransport, service: String = "", number: Int) {
        self.tenant = tenant
        self.transport = transport
        self.service = service
        self.number = number
    }
}

// What is asked of each stage and transport by itself, as the index is: by both and by time.
extension WakeUpRecords {
    /// Phones that are to be rung, of all tenants and over all transports.
    package func countWakeUps() throws -> Int { try wakeUpCounts().reduce(0) { $0 + $1.number } }

    /// Takes those of a transport that are to be sent and due at `time`, at most `limit`: those that ring before those that take back, for
    /// which an eighth is kept however many ring.
    package func leaseWakeUps(_ transport: PushTransport, at time: Timestamp, until: Timestamp, limit: Int) throws
        -> [WakeUpRecord]
    {
        func lease(_ stage: WakeUpStage, _ limit: Int) throws -> [WakeUpRecord] {
            limit > 0 ? try leaseWakeUps(stage, transport, at: time, until: until, limit: limit) : []
        }
        let share = limit / 8
        let first = try lease(.withdraw, share)
        let rings = try lease(.ring, limit - first.count)
        let rest = first.count < share ? 0 : limit - first.count - rings.count
        return try rings + first + lease(.withdraw, rest)
    }

    /// Those to be sent that are due, or whose lease ends, after `time`, at most `limit`; returns them.
    package func deleteWakeUps(dueAfter time: Timestamp, limit: Int) throws -> [WakeUpRecord] {
        try ofEach(WakeUpStage.sent, limit: limit) { try deleteWakeUps($0, $1, dueAfter: time, limit: $2) }
    }

    /// Those that were sent or are in reserve, and are due and whose requests ended before `time` by expiry, at most `limit`; returns them.
    package func deleteWakeUps(keptAndExpiredBefore time: Timestamp, limit: Int) throws -> [WakeUpRecord] {
        try ofEach([.rung, .reserve, .withdraw], limit: limit) {
            try deleteWakeUps($0, $1, expiredBefore: time, limit: $2)
        }
    }

    private func ofEach(
        _ stages: [WakeUpStage], limit: Int, _ delete: (WakeUpStage, PushTransport, Int) throws -> [WakeUpRecord]
    ) throws -> [WakeUpRecord] {
        var deleted: [WakeUpRecord] = []
        for stage in stages {
            for transport in PushTransport.allCases where deleted.count < limit {
                deleted += try delete(stage, transport, limit - deleted.count)
            }
        }
        return deleted
    }
}

/// What is to be done with a wake-up.
package enum WakeUpStage: String, Sendable, CaseIterable {
    /// The device is to be rung.
    case ring
    /// It would be rung if another did not have its place of the request; nothing is to be done until it gets that.
    case reserve
    /// It was rung; nothing is to be done until the request ends.
    case rung
    /// The request has ended: the device is to be told, quietly.
    case withdraw

    /// Those that something is sent for, the first ones first.
    package static let sent: [WakeUpStage] = [.ring, .withdraw]
}

/// A wake-up that is owed: kept from its claim to its last attempt, so that another process makes what a killed one did not; and one
/// that was made, until its request has ended.
package struct WakeUpRecord: Hashable, Sendable {
    /// 0 until stored; rises.
    package var sequence: Int64
    package let tenant: TenantID
    package let challenge: ChallengeID
    package let device: DeviceID
    package let transport: PushTransport
    /// By which of the transport's services, where it has several: a word that says nothing else of the address.
    package let service: String
    package let sealedAddress: [UInt8]
    package let expiresAt: Timestamp
    /// When it may be tried; while it is leased, when the lease ends.
    package var dueAt: Timestamp
    /// Rises with each lease.
    package let fence: Int64
    /// The fence of the last lease whose holder has said what came of it.
    package let heardFence: Int64
    /// How often it was tried, the attempt that the lease is for included.
    package var attempts: Int
    package private(set) var stage: WakeUpStage

    /// Whether nobody has said what came of the lease before this one: its holder was lost, and with it an attempt.
    package var isTakenOver: Bool { heardFence < fence - 1 }
    /// The same of the last lease.
    package var isUnheard: Bool { heardFence < fence }

    package init(
        sequence: Int64 = 0, tenant: TenantID, challenge: ChallengeID, device: DeviceID, transport: PushTransport,
        service: String = "", sealedAddress: [UInt8], expiresAt: Timestamp, dueAt: Timestamp, fence: Int64 = 0,
        heardFence: Int64 = 0, attempts: Int = 0, stage: WakeUpStage = .ring
    ) {
        self.stage = stage
        self.sequence = sequence
        self.tenant = tenant
        self.challenge = challenge
        self.device = device
        self.transport = transport
        self.service = service
        self.sealedAddress = sealedAddress
        self.expiresAt = expiresAt
        self.dueAt = dueAt
        self.fence = fence
        self.heardFence = heardFence
        self.attempts = attempts
    }

    /// As it waits for a place of its request: due when that is over.
    package var inReserve: WakeUpRecord {
        var waiting = self
        waiting.stage = .reserve
        waiting.dueAt = expiresAt
        return waiting
    }
}
