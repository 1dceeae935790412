package import Domain

/// What a push tells a phone: that there is something to ask for. No number, no secret, no personal data.
package struct WakeUp: Hashable, Sendable {
    package let tenant: TenantID
    package let challenge: ChallengeID
    package let device: DeviceID
    /// The provider need not deliver it later.
    package let expiresAt: Timestamp
    /// The device was rung for a request that has ended since: it is told without a sound, and fetches what is open now.
    package let isWithdrawal: Bool

    package init(
        tenant: TenantID, challenge: ChallengeID, device: DeviceID, expiresAt: Timestamp, isWithdrawal: Bool = false
    ) {
        self.isWithdrawal = isWithdrawal
        self.tenant = tenant
        self.challenge = challenge
        self.device = device
        self.expiresAt = expiresAt
    }
}

/// How one attempt ended. Every provider's answers fit one of these.
package enum PushOutcome: Hashable, Sendable {
    /// The provider took it.
    case delivered
    /// The provider does not know the address any more.
    case expiredAddress
    /// The same, but of a time before the phone registered the address last: it stays.
    case reregisteredAddress
    /// The address belongs to another project, application or environment: of no more use than an expired one, but an operator
    /// should look, because a wrong setting does this to every phone.
    case foreignAddress
    /// Busy or limiting: worth another try after this long. With `holdsBack` that is meant of everything that this account sends.
    case retry(after: Duration, holdsBack: Bool = false)
    /// This one device was rung too often, and is left alone for so long; the provider is well.
    case throttled(after: Duration)
    /// The provider was not asked, because it failed lately, has its hands full with us, or wants this device left alone; it will be after
    /// this long.
    case paused(after: Duration)
    /// The provider refuses us: key, topic, project or sender is wrong. An operator must act.
    case configuration
    case tooLarge
    case unreachable
    case timeout

    /// Whether the phone may have been rung, where this was the last of so many attempts.
    func mayHaveRung(attempt: Int) -> Bool {
        switch self {
        case .delivered, .retry, .timeout: true
        // This one has not, but one before it may have.
        case .paused, .throttled, .unreachable, .configuration, .tooLarge: attempt > 1
        // None of the attempts could reach it, nor would a word of the end.
        case .expiredAddress, .reregisteredAddress, .foreignAddress: false
        }
    }

    /// As it is recorded and counted.
    package var label: String {
        switch self {
        case .delivered: "delivered"
        case .expiredAddress, .reregisteredAddress: "expired_address"
        case .foreignAddress: "foreign_address"
        case .retry: "retry"
        case .throttled: "throttled"
        case .paused: "paused"
        case .configuration: "configuration"
        case .tooLarge: "too_large"
        case .unreachable: "unreachable"
        case .timeout: "timeout"
        }
    }
}

/// How one attempt ended, and what the provider said.
package struct PushReport: Hashable, Sendable {
    package let outcome: PushOutcome
    /// The status of the provider's last answer (RFC 9110 section 15); nil when it gave none, or was not asked.
    package let status: Int?
    /// The provider's own name for what it refused, as its table has it; nil when it gave none.
    package let reason: String?
    /// Our account was refused, or whatever we send: no address and no message can be to blame.
    package let refusesAccount: Bool
    /// The provider has taken something of this account before: our settings are right.
    package var isAccountProven = false

    /// Whether the address is of no use: it is to be forgotten. As long as nothing was taken, it may be one wrong setting of ours that makes
    /// every address another's.
    var dropsAddress: Bool { outcome == .expiredAddress || outcome == .foreignAddress && isAccountProven }

    /// Whether the provider was asked, so that it may have rung the phone whatever became of the answer.
    var isAsked: Bool { if case .paused = outcome { false } else { true } }

    package init(_ outcome: PushOutcome, status: Int? = nil, reason: String? = nil, refusesAccount: Bool = false) {
        self.outcome = outcome
        self.status = status
        self.reason = reason
        self.refusesAccount = refusesAccount
    }
}

/// Sends wake-ups through one push provider.
package protocol PushDriver: Sendable {
    var transport: PushTransport { get }

    /// Whether there is a provider for the devices of this tenant.
    func serves(_ tenant: TenantID) -> Bool

    /// The way to an address of a phone of this tenant.
    func route(to address: Redacted<[UInt8]>, of tenant: TenantID) -> PushRoute

    /// Sends one wake-up to an address, which is JSON of the transport's own members. Must honour cancellation: it is cancelled
    /// when it takes too long.
    func send(_ wakeUp: WakeUp, to address: Redacted<[UInt8]>) async -> PushReport
}

extension PushDriver {
    package func serves(_ tenant: TenantID) -> Bool { true }

    package func route(to address: Redacted<[UInt8]>, of tenant: TenantID) -> PushRoute {
        PushRoute { await self.send($0, to: address) }
    }
}

/// The way to one address, which has been read once for all that is asked of it.
package struct PushRoute: Sendable {
    /// To whom it leads: what goes to one party shares its slowness, and the places for what is being sent are shared among parties. Empty
    /// for the driver's only one.
    package var party: String
    /// Sends one wake-up, as `PushDriver.send` does.
    package let send: @Sendable (WakeUp) async -> PushReport

    package init(party: String = "", send: @escaping @Sendable (WakeUp) async -> PushReport) {
        self.party = party
        self.send = send
    }
}
