/// One challenge from its begin to its end: the rules of who may settle it, once, and what becomes of it with time.
///
/// Methods take an event and a time and return an effect; the caller stores `state` and does what the effect says. Start at
/// `answer`, whose order of checks is a security rule of its own.
package struct ChallengeMachine: Hashable, Sendable {
    /// What was decided at begin and never changes.
    package struct Rules: Hashable, Sendable {
        package let expiresAt: Timestamp
        /// How long an approval may be redeemed. Nil where there is nothing to redeem: registration and phone sign-in set-up.
        package let redeemWindow: Duration?
        /// A decoy looks like a challenge from outside and can never be answered by a phone.
        package let isDecoy: Bool

        package init(expiresAt: Timestamp, redeemWindow: Duration?, isDecoy: Bool) {
            self.expiresAt = expiresAt
            self.redeemWindow = redeemWindow
            self.isDecoy = isDecoy
        }
    }

    /// What a phone was told.
    package struct Reply: Hashable, Sendable, Codable {
        package let status: ChallengeStatus
        package let reason: DenialReason?
        package init(status: ChallengeStatus, reason: DenialReason? = nil) {
            self.status = status
            self.reason = reason
        }
    }

    /// An answer that had an effect, so that its identical retry gets the same reply.
    package struct Answered: Hashable, Sendable, Codable {
        /// SHA-256 of the compact JWS.
        package let digest: [UInt8]
        package let reply: Reply
        package let at: Timestamp
        package init(digest: [UInt8], reply: Reply, at: Timestamp) {
            self.digest = digest
            self.reply = reply
            self.at = at
        }
    }

    /// What changes, as it is stored. `status` lags behind the clock: read `status(at:)`.
    package struct State: Hashable, Sendable {
        package var status = ChallengeStatus.pending
        package var reason: DenialReason?
        package var method: SignInMethod?
        package var triesLeft: Int
        package var settledAt: Timestamp?
        package var answered: [Answered] = []
        /// Digest of the code that settled it.
        package var codeDigest: [UInt8] = []

        package init(triesLeft: Int) { self.triesLeft = triesLeft }
    }

    package let rules: Rules
    package private(set) var state: State

    package init(rules: Rules, state: State) {
        self.rules = rules
        self.state = state
    }

    /// A new challenge that this many wrong numbers end.
    package init(rules: Rules, wrongNumbers: Int) { self.init(rules: rules, state: State(triesLeft: wrongNumbers)) }

    /// When time itself is the next event; nil once nothing can lapse.
    package var lapsesAt: Timestamp? {
        switch state.status {
        case .pending: rules.expiresAt
        case .approved: rules.redeemWindow.flatMap { window in state.settledAt.map { $0 + window } }
        case .denied, .expired, .canceled, .redeemed: nil
        }
    }

    /// What the challenge is at `time`, whether or not its expiry has been stored yet.
    package func status(at time: Timestamp) -> ChallengeStatus {
        if let lapsesAt, lapsesAt <= time { .expired } else { state.status }
    }

    package func isSettled(at time: Timestamp) -> Bool { status(at: time) != .pending }

    /// Whether it is one of the open requests of which a person may have some at a time. One with more time left than any is given was begun
    /// before the clock was set back: it would keep its person from new ones for as long.
    package func takesPlace(at time: Timestamp) -> Bool {
        status(at: time) == .pending && rules.expiresAt - time <= Self.longestLifetime + ClockSkew.tolerated
    }

    private static let longestLifetime = Duration.seconds(TenantSettings.range(of: \.requestLifetimeSeconds).upperBound)
}

// MARK: Time

extension ChallengeMachine {
    package enum LapseEffect: Hashable, Sendable {
        case nothing
        /// Nobody answered in time.
        case unanswered
        /// It was approved, and nobody redeemed it in its window.
        case unredeemed
    }

    /// Makes the expiry that time has brought part of the state.
    package mutating func lapse(at time: Timestamp) -> LapseEffect {
        guard let due = lapsesAt, due <= time else { return .nothing }
        let effect: LapseEffect = state.status == .pending ? .unanswered : .unredeemed
        // The moment of expiry, not of its discovery: a late sweep must not change the log or the budget.
        if state.status == .pending { state.settledAt = due }
        state.status = .expired
        return effect
    }
}

// MARK: The phone

extension ChallengeMachine {
    /// Why an approval has to wait, although the answer is genuine.
    package enum Obstacle: Hashable, Sendable {
        /// The policy no longer lets this person use this method.
        case policy
        /// The phone is older than the tenant accepts; the minimum for its platform.
        case minimumVersion(String)
        /// The profile asks for user verification, and the phone did none.
        case userVerification
    }

    /// A genuine answer: its signature has been checked.
    package struct Answer: Hashable, Sendable {
        package let digest: [UInt8]
        package let decision: Decision
        /// Whether this device may answer this challenge, and signed the content that was shown.
        package let isAllowed: Bool
        package let obstacle: Obstacle?
        package let numberMatches: Bool

        package init(
            digest: [UInt8], decision: Decision, isAllowed: Bool, obstacle: Obstacle? = nil, numberMatches: Bool = false
        ) {
            self.digest = digest
            self.decision = decision
            self.isAllowed = isAllowed
            self.obstacle = obstacle
            self.numberMatches = numberMatches
        }
    }

    package enum AnswerEffect: Hashable, Sendable {
        case settled(Reply)
        /// A wrong number with tries left; the challenge stays open.
        case tryUsed(Reply)
        /// The byte-identical retry of an answer: its first reply, from when it had its effect, and no effect.
        case repeated(Reply, at: Timestamp)
        case refused
        case held(Obstacle)
        case alreadySettled
        case expired
    }

    /// Refusals come first, whatever the state, so that an outsider learns nothing; then the identical retry; then the state;
    /// then what only an approval must pass; the number last, so that nothing else uses up its tries.
    package mutating func answer(_ answer: Answer, at time: Timestamp) -> AnswerEffect {
        guard !rules.isDecoy, answer.isAllowed else { return .refused }
        if let first = state.answered.first(where: { $0.digest == answer.digest }) {
            return .repeated(first.reply, at: first.at)
        }
        switch status(at: time) {
        case .pending: break
        case .expired: return .expired
        case .approved, .denied, .canceled, .redeemed: return .alreadySettled
        }
        if answer.decision == .approve, let obstacle = answer.obstacle { return .held(obstacle) }
        return decide(answer, at: time)
    }

    private mutating func decide(_ answer: Answer, at time: Timestamp) -> AnswerEffect {
        switch answer.decision {
        case .decline: return settle(.denied, .declined, by: answer, at: time)
        case .report: return settle(.denied, .reported, by: answer, at: time)
        case .approve where answer.numberMatches: return settle(.approved, nil, by: answer, at: time)
        case .approve:
            state.triesLeft -= 1
            guard state.triesLeft > 0 else { return settle(.denied, .wrongNumber, by: answer, at: time) }
            let reply = Reply(status: .pending, reason: .wrongNumber)
            state.answered.append(Answered(digest: answer.digest, reply: reply, at: time))
            return .tryUsed(reply)
        }
    }

    private mutating func settle(
        _ status: ChallengeStatus, _ reason: DenialReason?, by answer: Answer, at time: Timestamp
    ) -> AnswerEffect {
        state.status = status
        state.reason = reason
        state.method = status == .approved ? .push : nil
        state.settledAt = time
        let reply = Reply(status: status, reason: reason)
        state.answered.append(Answered(digest: answer.digest, reply: reply, at: time))
        return .settled(reply)
    }
}

// MARK: The code

extension ChallengeMachine {
    package enum CodeEffect: Hashable, Sendable {
        /// Open: the code has to be verified, or has just been accepted.
        case open
        /// The code that settled this challenge, once more.
        case repeated
        case alreadySettled
        case expired
    }

    /// What becomes of a code before it is looked at.
    package func considerCode(digest: [UInt8], at time: Timestamp) -> CodeEffect {
        if !state.codeDigest.isEmpty, state.codeDigest == digest { return .repeated }
        switch status(at: time) {
        case .pending: return .open
        case .expired: return .expired
        case .approved, .denied, .canceled, .redeemed: return .alreadySettled
        }
    }

    /// Settles with a code that has been verified. A decoy too: the person exists and may use codes, only no phone was asked.
    package mutating func acceptCode(digest: [UInt8], at time: Timestamp) -> CodeEffect {
        let effect = considerCode(digest: digest, at: time)
        guard effect == .open else { return effect }
        state.status = .approved
        state.method = .code
        state.settledAt = time
        state.codeDigest = digest
        return .open
    }
}

// MARK: The application

extension ChallengeMachine {
    package enum CancelEffect: Hashable, Sendable {
        case canceled
        case alreadyCanceled
        case alreadySettled
        case expired
    }

    package mutating func cancel(at time: Timestamp) -> CancelEffect {
        switch status(at: time) {
        case .pending:
            state.status = .canceled
            state.settledAt = time
            return .canceled
        case .canceled: return .alreadyCanceled
        case .expired: return .expired
        case .approved, .denied, .redeemed: return .alreadySettled
        }
    }

    /// Ends what could still be redeemed or answered: the person has been blocked. Whether anything changed.
    package mutating func revoke(at time: Timestamp) -> Bool {
        switch status(at: time) {
        case .pending: return cancel(at: time) == .canceled
        case .approved where rules.redeemWindow != nil:
            state.status = .expired
            return true
        case .approved, .denied, .expired, .canceled, .redeemed: return false
        }
    }

    package enum RedeemEffect: Hashable, Sendable {
        case redeemed
        case alreadyRedeemed
        case notApproved
        case expired
    }

    /// Once: two who hold the secret cannot both be signed in.
    package mutating func redeem(at time: Timestamp) -> RedeemEffect {
        switch status(at: time) {
        case .approved where rules.redeemWindow != nil:
            state.status = .redeemed
            return .redeemed
        case .redeemed: return .alreadyRedeemed
        case .expired: return .expired
        case .pending, .denied, .canceled, .approved: return .notApproved
        }
    }
}
