import Authenticator
import Domain
import Foundation

/// One simulated person: who they are, their phone, and what they must not do to stay within the tenant's limits.
struct Member: Sendable {
    let id: PersonID
    let account: Account
    let key: SoftwareKey
    let phone: SimulatedPhone
    /// Whether an earlier run has made them.
    let isKept: Bool

    var username: String { account.username }
    var desk: SignInDesk { phone.desk }
    var receipt: Receipt {
        Receipt(audience: "\(account.server)/\(account.tenant)", deviceKey: [UInt8](key.publicKey))
    }

    func offlineCode() -> String { account.offlineCode.code(at: Date()).code }
}

/// What the tenant lets one person do: beyond it a sign-in could not come to what is intended.
struct PersonLimits: Sendable {
    /// Requests that rang for nothing before the phones stay silent.
    let missesMax: Int
    /// How long an accepted code keeps every other code of its time from being accepted, in seconds.
    let codeSeconds: Int
}

/// One person's choices, one after another.
struct PersonalChoice: Sendable {
    let limits: PersonLimits
    private var misses = 0
    private var codeAt: ContinuousClock.Instant?

    init(limits: PersonLimits) { self.limits = limits }

    /// Of somebody who may have missed and used a code just before `time`.
    init(limits: PersonLimits, unknownBefore time: ContinuousClock.Instant) {
        self.limits = limits
        misses = limits.missesMax
        codeAt = time
    }

    /// What was drawn, or an approval where the person has no code left for now or the next miss would silence the phone.
    mutating func allowed(_ drawn: Intention, at time: ContinuousClock.Instant) -> Intention {
        switch drawn {
        case .code:
            if let codeAt, time - codeAt < .seconds(limits.codeSeconds) { return .approve }
            codeAt = time
            return .code
        case .decline, .wrongNumber, .noAnswer: return misses + 1 < limits.missesMax ? drawn : .approve
        case .approve: return .approve
        }
    }

    /// An approval on the phone shows that person and phone are together; anything that failed may have counted as a miss.
    mutating func ended(_ intention: Intention, asIntended: Bool) {
        switch intention {
        case .approve where asIntended: misses = 0
        case .code where asIntended: break
        default: misses += 1
        }
    }
}
