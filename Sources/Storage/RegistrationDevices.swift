package import Domain

/// One activation of one phone, from its registration until it is removed; a removed device has no record.
package struct StoredDevice: Hashable, Sendable {
    /// What the phone says of itself.
    package struct Facts: Hashable, Sendable {
        package var name: String
        package var platform: Platform
        package var osVersion: String
        package var appVersion: String
        package init(name: String, platform: Platform, osVersion: String, appVersion: String) {
            self.name = name
            self.platform = platform
            self.osVersion = osVersion
            self.appVersion = appVersion
        }
    }

    package struct Push: Hashable, Sendable {
        package var transport: PushTransport
        /// Sealed: an address lets its holder ring the phone.
        package var sealedAddress: [UInt8]
        package init(transport: PushTransport, sealedAddress: [UInt8]) {
            self.transport = transport
            self.sealedAddress = sealedAddress
        }
    }

    package struct OfflineCode: Hashable, Sendable {
        package var sealedSecret: [UInt8]
        package var algorithm: CodeAlgorithm
        package var digits: Int
        /// Seconds.
        package var period: Int
        package init(sealedSecret: [UInt8], algorithm: CodeAlgorithm, digits: Int, period: Int) {
            self.sealedSecret = sealedSecret
            self.algorithm = algorithm
            self.digits = digits
            self.period = period
        }
    }

    package let tenant: TenantID
    package let id: DeviceID
    package let person: PersonID
    package var facts: Facts
    package var push: Push
    package var state: DeviceState
    /// Nil: phone sign-in is off.
    package var phoneSignInAt: Timestamp?
    /// Whether the one-tenant rule held when phone sign-in was set up, so that the store enforces it too.
    package var isExclusive: Bool
    /// Until when phone sign-in may be set up without a password, thanks to a Temporary Access Pass.
    package var grantedUntil: Timestamp?
    package let createdAt: Timestamp
    package var lastUsedAt: Timestamp
    /// X9.63 uncompressed point.
    package let publicKey: [UInt8]
    package let keyDigest: [UInt8]
    /// The request that confirms the registration.
    package let challenge: ChallengeID
    package let offlineCode: OfflineCode

    package init(
        tenant: TenantID, id: DeviceID, person: PersonID, facts: Facts, push: Push, createdAt: Timestamp,
        publicKey: [UInt8],
        keyDigest: [UInt8], challenge: ChallengeID, offlineCode: OfflineCode
    ) {
        self.tenant = tenant
        self.id = id
        self.person = person
        self.facts = facts
        self.push = push
        state = .awaitingConfirmation
        isExclusive = false
        self.createdAt = createdAt
        lastUsedAt = createdAt
        self.publicKey = publicKey
        self.keyDigest = keyDigest
        self.challenge = challenge
        self.offlineCode = offlineCode
    }

    /// It never goes back: the clocks of those who say so differ.
    package mutating func use(at time: Timestamp) { lastUsedAt = max(lastUsedAt, time) }
}

package struct StoredActivation: Hashable, Sendable {
    package let tenant: TenantID
    package let id: ActivationID
    package let person: PersonID
    package let ticketDigest: [UInt8]
    /// For the QR code, until the ticket is used; empty after.
    package var sealedTicket: [UInt8]
    /// The session that asked; nil where a process of an earlier build did not say.
    package let session: String?
    /// The same, when a Temporary Access Pass had opened it.
    package let passSession: String?
    package let createdAt: Timestamp
    package var machine: ActivationMachine
    /// The number that the page shows; empty while challenge has not said it.
    package var sealedNumber: [UInt8]

    package init(
        tenant: TenantID, id: ActivationID, person: PersonID, ticketDigest: [UInt8], sealedTicket: [UInt8],
        session: String?, passSession: String?,
        createdAt: Timestamp, machine: ActivationMachine, sealedNumber: [UInt8] = []
    ) {
        self.tenant = tenant
        self.id = id
        self.person = person
        self.ticketDigest = ticketDigest
        self.sealedTicket = sealedTicket
        self.session = session
        self.passSession = passSession
        self.createdAt = createdAt
        self.machine = machine
        self.sealedNumber = sealedNumber
    }
}

/// A request of purpose `phoneSignInSetup` that has been begun.
package struct StoredSetup: Hashable, Sendable {
    package let tenant: TenantID
    package let challenge: ChallengeID
    package let device: DeviceID
    package let createdAt: Timestamp
    package var isDone: Bool

    package init(tenant: TenantID, challenge: ChallengeID, device: DeviceID, createdAt: Timestamp, isDone: Bool = false)
    {
        self.tenant = tenant
        self.challenge = challenge
        self.device = device
        self.createdAt = createdAt
        self.isDone = isDone
    }
}

/// A message that challenge has to get, committed with the change that causes it.
package struct OutboundCall: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case beginRegistration
        case cancelForPerson
    }

    package var sequence: Int64
    package let kind: Kind
    package let tenant: TenantID
    package let request: RequestID
    package let origin: RequestID
    /// The message's bytes, sealed: they hold push addresses.
    package let body: [UInt8]
    package let createdAt: Timestamp
    package var dueAt: Timestamp
    package var fence: Int64
    package var attempts: Int

    package init(
        sequence: Int64 = 0, kind: Kind, tenant: TenantID, request: RequestID, origin: RequestID, body: [UInt8],
        createdAt: Timestamp,
        dueAt: Timestamp, fence: Int64 = 0, attempts: Int = 0
    ) {
        self.sequence = sequence
        self.kind = kind
        self.tenant = tenant
        self.request = request
        self.origin = origin
        self.body = body
        self.createdAt = createdAt
        self.dueAt = dueAt
        self.fence = fence
        self.attempts = attempts
    }
}

/// Before which times rows are of no use any more.
package struct RegistrationPurge: Hashable, Sendable {
    /// Sessions that were not used since, or were opened before.
    package var sessionsIdleSince: Timestamp
    package var sessionsCreatedBefore: Timestamp
    package var passesExpiredBefore: Timestamp
    package var activationsExpiredBefore: Timestamp
    package var attemptsForgottenBefore: Timestamp
    /// Set-ups, used challenges and used grants: anything that was only kept against a repeat.
    package var repeatsBefore: Timestamp

    package init(
        sessionsIdleSince: Timestamp, sessionsCreatedBefore: Timestamp, passesExpiredBefore: Timestamp,
        activationsExpiredBefore: Timestamp, attemptsForgottenBefore: Timestamp, repeatsBefore: Timestamp
    ) {
        self.sessionsIdleSince = sessionsIdleSince
        self.sessionsCreatedBefore = sessionsCreatedBefore
        self.passesExpiredBefore = passesExpiredBefore
        self.activationsExpiredBefore = activationsExpiredBefore
        self.attemptsForgottenBefore = attemptsForgottenBefore
        self.repeatsBefore = repeatsBefore
    }

    /// What is deleted: of a table the rows that meet the condition, which has the time as its argument. The key, beside the tenant, is
    /// the table's own.
    package struct Deletion: Sendable {
        package let before: Timestamp
        /// Its arguments: `before` in milliseconds, and how many rows at most.
        package let statement: String

        fileprivate init(_ table: String, _ key: String, _ condition: String, _ before: Timestamp) {
            self.before = before
            statement = """
                DELETE FROM \(table) WHERE (tenant, \(key)) IN (SELECT tenant, \(key) FROM \(table) WHERE \(condition) LIMIT ?)
                """
        }
    }

    package var deletions: [Deletion] {
        [
            Deletion("web_session", "digest", "last_used_at < ?", sessionsIdleSince),
            Deletion("web_session", "digest", "created_at < ?", sessionsCreatedBefore),
            Deletion("access_pass", "person", "expires_at < ?", passesExpiredBefore),
            Deletion("activation", "id", "expires_at < ? AND state <> 'confirming'", activationsExpiredBefore),
            Deletion("password_attempts", "username", "forgotten_at < ?", attemptsForgottenBefore),
            Deletion("phone_sign_in_setup", "challenge", "created_at < ?", repeatsBefore),
            Deletion("session_challenge", "challenge", "taken_at < ?", repeatsBefore),
            Deletion("pass_grant", "session", "taken_at < ?", repeatsBefore),
        ]
    }
}
