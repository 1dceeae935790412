package import Domain

/// One challenge as it is stored: what was decided at begin, the state machine, and what its settlement left.
package struct ChallengeRecord: Hashable, Sendable {
    /// The person as they were at begin. Nil for a name that nobody has.
    package struct Person: Hashable, Sendable {
        package var id: PersonID
        package var username: String
        package var displayName: String
        /// Kept so that the policy of the moment can be asked again at the answer, without another message.
        package var groups: Set<GroupID>
        /// Not blocked, and an active device of theirs makes offline codes.
        package var mayUseCodes: Bool

        package init(id: PersonID, username: String, displayName: String, groups: Set<GroupID>, mayUseCodes: Bool) {
            self.id = id
            self.username = username
            self.displayName = displayName
            self.groups = groups
            self.mayUseCodes = mayUseCodes
        }
    }

    /// Who may read and redeem it: one client, or one browser.
    package struct Owner: Hashable, Sendable {
        package var client: ClientID?
        /// SHA-256 of the browser's pre-session cookie; empty for a client's request.
        package var browserDigest: [UInt8]

        package init(client: ClientID?, browserDigest: [UInt8]) {
            self.client = client
            self.browserDigest = browserDigest
        }
    }

    /// The signed answer of the phone that approved, for relying applications to verify.
    package struct Receipt: Hashable, Sendable {
        package var device: DeviceID
        package var answer: String
        /// X9.63 point.
        package var key: [UInt8]

        package init(device: DeviceID, answer: String, key: [UInt8]) {
            self.device = device
            self.answer = answer
            self.key = key
        }
    }

    package let id: ChallengeID
    package let tenant: TenantID
    package let purpose: Purpose
    /// As typed.
    package let username: String
    package let person: Person?
    package let owner: Owner
    /// SHA-256; empty where nobody holds a secret.
    package let secretDigest: [UInt8]
    package let number: String
    package let content: [UInt8]
    package let createdAt: Timestamp
    /// Real, but nothing rings.
    package let isSilenced: Bool
    /// A code settles it in every mode, when the password comes with it or came before.
    package let takesCodeInEveryMode: Bool
    /// The one device that may answer, for registration and phone sign-in set-up.
    package let onlyDevice: DeviceID?
    /// The `traceparent` of its begin (W3C Trace Context), for the answer's trace to name; nil when that is not traced.
    package let trace: String?
    /// The devices that show it.
    package var targets: [DeviceID]
    package var machine: ChallengeMachine
    package var receipt: Receipt?
    /// Whether the code that settled it came with the right password.
    package var isPasswordVerified: Bool
    /// Moves with every update; 0 before the first.
    package var revision: Int64

    package init(
        _ begin: Begin, machine: ChallengeMachine, receipt: Receipt? = nil, isPasswordVerified: Bool = false,
        revision: Int64 = 0
    ) {
        id = begin.id
        tenant = begin.tenant
        purpose = begin.purpose
        username = begin.username
        person = begin.person
        owner = begin.owner
        secretDigest = begin.secretDigest
        number = begin.number
        content = begin.content
        createdAt = begin.createdAt
        isSilenced = begin.isSilenced
        takesCodeInEveryMode = begin.takesCodeInEveryMode
        onlyDevice = begin.onlyDevice
        trace = begin.trace
        targets = begin.targets
        self.machine = machine
        self.receipt = receipt
        self.isPasswordVerified = isPasswordVerified
        self.revision = revision
    }

    /// What is known when a challenge begins.
    package struct Begin: Sendable {
        package var id: ChallengeID
        package var tenant: TenantID
        package var purpose: Purpose
        package var username: String
        package var person: Person?
        package var owner = Owner(client: nil, browserDigest: [])
        package var secretDigest: [UInt8] = []
        package var number: String
        package var content: [UInt8]
        package var createdAt: Timestamp
        package var isSilenced = false
        package var takesCodeInEveryMode = false
        package var onlyDevice: DeviceID?
        package var trace: String?
        package var targets: [DeviceID] = []

        package init(
            id: ChallengeID, tenant: TenantID, purpose: Purpose, username: String, number: String, content: [UInt8],
            createdAt: Timestamp
        ) {
            self.id = id
            self.tenant = tenant
            self.purpose = purpose
            self.username = username
            self.number = number
            self.content = content
            self.createdAt = createdAt
        }
    }
}

extension ChallengeRecord {
    /// How an application may use it; nil for a device's own challenges, which nobody redeems.
    package var factor: Factor? { purpose.factor }

    package var isDecoy: Bool { machine.rules.isDecoy }
}
