import Proofs

/// What the person decided.
public enum Answer: Sendable, Hashable, CustomStringConvertible {
    /// With the number that the sign-in page shows, as typed. `userVerified` says that this phone checked fingerprint, face or
    /// code for this very answer; the tenant's profile may ask for it.
    case approve(number: String, userVerified: Bool = false)
    /// "Not now."
    case decline
    /// "This was not me": raises the alarm for this person.
    case report

    /// Without the number, which must not be logged.
    public var description: String {
        switch self {
        case .approve: "approve"
        case .decline: "decline"
        case .report: "report"
        }
    }

    /// What is signed. Throws `invalidNumber` unless the number has the digits that the request asks for; a blank or a typing
    /// error must not use up the one try.
    func choice(digits: Int) throws(AuthenticatorError) -> AnswerClaims.Choice {
        switch self {
        case .decline: return .decline()
        case .report: return .report()
        case .approve(let number, let userVerified):
            guard number.utf8.count == digits, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw .invalidNumber
            }
            return .approve(number: number, userVerified: userVerified)
        }
    }
}

/// What became of the request.
public enum AnswerOutcome: Sendable, Hashable {
    case approved
    case denied(DenialReason)
    /// The number was wrong, and the request is still open.
    case wrongNumberTryAgain

    public enum DenialReason: String, Sendable {
        case declined
        case reported
        case wrongNumber
    }
}
