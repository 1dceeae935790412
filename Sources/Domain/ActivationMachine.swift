/// One activation from its QR code to an active device, or to nothing.
///
/// `waiting` for a phone, `confirming` the number on it, then `active` or `expired` for good.
package struct ActivationMachine: Hashable, Sendable {
    package enum Registration: Hashable, Sendable {
        /// The ticket is this phone's now.
        case registers
        /// The same phone again: it gets the first reply again.
        case repeats(DeviceID)
        case ticketUsed
        case expired
    }

    package enum Confirmation: Hashable, Sendable {
        case activates
        /// Denied or expired: the device goes.
        case removes
        /// Decided before.
        case nothing
    }

    package private(set) var state: ActivationState
    package let expiresAt: Timestamp
    package private(set) var device: DeviceID?

    package init(state: ActivationState = .waiting, expiresAt: Timestamp, device: DeviceID? = nil) {
        self.state = state
        self.expiresAt = expiresAt
        self.device = device
    }

    /// The state as it is at `now`: the stored one lags behind the clock.
    package func state(at now: Timestamp) -> ActivationState {
        (state == .waiting || state == .confirming) && expiresAt <= now ? .expired : state
    }

    /// A phone presents the ticket. `isSameKey` says whether the device that holds it has the phone's key.
    package func registration(isSameKey: Bool, at now: Timestamp) -> Registration {
        switch state {
        case .waiting: return expiresAt <= now ? .expired : .registers
        case .confirming:
            // Who used the ticket first is told before its age: another phone must not learn more than that.
            guard let device, isSameKey else { return .ticketUsed }
            return expiresAt <= now ? .expired : .repeats(device)
        case .active: return .ticketUsed
        case .expired: return .expired
        }
    }

    package mutating func take(_ device: DeviceID) {
        precondition(state == .waiting, "a ticket is taken once")
        state = .confirming
        self.device = device
    }

    /// The request on the phone was settled. An approval counts even when word of it comes late.
    package mutating func confirm(approved: Bool) -> Confirmation {
        guard state == .confirming else { return .nothing }
        state = approved ? .active : .expired
        return approved ? .activates : .removes
    }

    /// The person or the device is gone.
    package mutating func end() {
        if state != .active { state = .expired }
    }
}
