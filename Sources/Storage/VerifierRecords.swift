package import Domain

/// What the verifier must remember so that nothing signed or typed works twice, and nothing can be guessed.
package protocol VerifierRecords: MemoRecords, AuditRecords, ProofIdentifierRecords, CodeStepRecords,
    CodeFailureRecords,
    NumberFailureRecords
{}

/// One used `jti`.
package struct ProofIdentifier: Hashable, Sendable {
    /// SHA-256 over tenant, device and the identifier's bytes.
    package let digest: [UInt8]
    /// The request that used it: its own repeat is not a replay.
    package let usedBy: RequestID
    package let keptUntil: Timestamp

    package init(digest: [UInt8], usedBy: RequestID, keptUntil: Timestamp) {
        self.digest = digest
        self.usedBy = usedBy
        self.keptUntil = keptUntil
    }
}

package protocol ProofIdentifierRecords {
    /// Takes the identifier, or returns who took it before: of two racing requests one gets nil.
    func take(_ identifier: ProofIdentifier) throws -> RequestID?
    /// Deletes at most `limit` identifiers that need not be kept any more; returns how many.
    func deleteProofIdentifiers(keptUntilBefore time: Timestamp, limit: Int) throws -> Int
}

/// The code that settled one challenge, so that the same code on it gets the same reply.
package struct CodeAcceptance: Hashable, Sendable {
    package let tenant: TenantID
    package let challenge: ChallengeID
    /// SHA-256 over challenge and code; a used code is no secret any more.
    package let codeDigest: [UInt8]
    package let device: DeviceID
    package let deviceName: String
    package let keptUntil: Timestamp

    package init(
        tenant: TenantID, challenge: ChallengeID, codeDigest: [UInt8], device: DeviceID, deviceName: String,
        keptUntil: Timestamp
    ) {
        self.tenant = tenant
        self.challenge = challenge
        self.codeDigest = codeDigest
        self.device = device
        self.deviceName = deviceName
        self.keptUntil = keptUntil
    }
}

package protocol CodeStepRecords {
    /// Records that the code of `step` was accepted from `device`, unless this or a later step was before: false then. RFC 6238
    /// section 5.2: a code is accepted once.
    func advance(_ device: DeviceID, tenant: TenantID, to step: Int64) throws -> Bool
    func acceptance(tenant: TenantID, challenge: ChallengeID) throws -> CodeAcceptance?
    /// Throws `alreadyExists` when the challenge has one.
    func insert(_ acceptance: CodeAcceptance) throws
    /// Deletes at most `limit` acceptances that need not be kept any more; returns how many.
    func deleteAcceptances(keptUntilBefore time: Timestamp, limit: Int) throws -> Int
}

/// Failures with offline codes of one user name, existing or not, since the last success.
package struct CodeFailures: Hashable, Sendable {
    package let tenant: TenantID
    package let username: FoldedUsername
    /// All of them: they decide the delay.
    package var count: Int
    /// Those that knew the password, where one was needed: they decide the lock.
    package var countTowardsLock: Int
    package var isLocked: Bool
    package var lastAt: Timestamp
    package var nextAllowedAt: Timestamp

    package init(
        tenant: TenantID, username: FoldedUsername, count: Int = 0, countTowardsLock: Int = 0, isLocked: Bool = false,
        lastAt: Timestamp,
        nextAllowedAt: Timestamp
    ) {
        self.tenant = tenant
        self.username = username
        self.count = count
        self.countTowardsLock = countTowardsLock
        self.isLocked = isLocked
        self.lastAt = lastAt
        self.nextAllowedAt = nextAllowedAt
    }
}

package protocol CodeFailureRecords {
    func codeFailures(tenant: TenantID, username: FoldedUsername) throws -> CodeFailures?
    /// Inserts or replaces.
    func save(_ failures: CodeFailures) throws
    /// Whether there were any.
    func deleteCodeFailures(tenant: TenantID, username: FoldedUsername) throws -> Bool
    /// Deletes at most `limit` counters that are not locked and whose last failure is older; returns how many.
    func deleteCodeFailures(lastBefore time: Timestamp, limit: Int) throws -> Int
}

/// Wrong numbers in a row from one device.
package struct NumberFailures: Hashable, Sendable {
    package let tenant: TenantID
    package let device: DeviceID
    package var count: Int
    /// SHA-256 of the last answer that counted: its retry does not count again.
    package var lastAnswer: [UInt8]
    /// When the latest answer that counted, wrong or right, was accepted.
    package var lastAt: Timestamp

    package init(tenant: TenantID, device: DeviceID, count: Int, lastAnswer: [UInt8], lastAt: Timestamp) {
        self.tenant = tenant
        self.device = device
        self.count = count
        self.lastAnswer = lastAnswer
        self.lastAt = lastAt
    }
}

package protocol NumberFailureRecords {
    func numberFailures(tenant: TenantID, device: DeviceID) throws -> NumberFailures?
    /// Inserts or replaces.
    func save(_ failures: NumberFailures) throws
}
