package import Domain

/// What the notifier remembers: which attempts to wake a phone it made, and how they ended.
package protocol NotifierRecords: DeliveryRecords {}

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
