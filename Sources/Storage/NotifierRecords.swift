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
    /// Takes the right to ring one device once for this challenge: false when it was taken before, or when the challenge has
    /// `limit` already. Committed before anything is sent, so a repeat after a crash never rings twice.
    func claim(_ claim: DeliveryClaim, limit: Int) throws -> Bool
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

package protocol WakeUpRecords {
    func append(_ wakeUp: WakeUpRecord) throws
    func countWakeUps() throws -> Int
    /// Those with a sequence above `sequence`, oldest first, at most `limit`.
    func wakeUps(after sequence: Int64, limit: Int) throws -> [WakeUpRecord]
    func deleteWakeUp(_ sequence: Int64) throws
}

/// A wake-up that is owed: kept from its claim to its last attempt, so that the next process makes what a killed one did not.
package struct WakeUpRecord: Hashable, Sendable {
    /// 0 until stored; rises.
    package var sequence: Int64
    package let tenant: TenantID
    package let challenge: ChallengeID
    package let device: DeviceID
    package let transport: PushTransport
    package let sealedAddress: [UInt8]
    package let expiresAt: Timestamp

    package init(
        sequence: Int64 = 0, tenant: TenantID, challenge: ChallengeID, device: DeviceID, transport: PushTransport,
        sealedAddress: [UInt8], expiresAt: Timestamp
    ) {
        self.sequence = sequence
        self.tenant = tenant
        self.challenge = challenge
        self.device = device
        self.transport = transport
        self.sealedAddress = sealedAddress
        self.expiresAt = expiresAt
    }
}
