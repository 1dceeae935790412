import Domain

/// Everything that can go wrong, as one closed list. `description` is one sentence that may be shown and logged: it never holds
/// a secret, a number or what a server wrote.
public enum AuthenticatorError: Error, Sendable, Hashable, CustomStringConvertible {
    // What the caller gave
    case invalidActivationLink
    /// Not as many decimal digits as the request asks for.
    case invalidNumber
    case unknownAccount
    case unknownRequest

    // What the server decided
    /// Refused; the server does not say why.
    case refused
    /// The server does not know this device: it was removed.
    case notAuthenticated
    /// This phone's clock and the server's disagree, and correcting for it did not help.
    case clockSkew
    case ticketUsed
    case tooManyDevices
    /// The request or the ticket is no longer open.
    case expired
    /// The request was settled before, here or elsewhere.
    case settled
    /// This phone has phone sign-in for another account, and the tenant allows one.
    case singleTenant
    /// This app or this system is too old; the least version that is accepted, when the server names it.
    case updateRequired(minimum: String?)
    case invalidCredentials
    case tooManyAttempts(retryAfter: Duration?)
    case unavailable(retryAfter: Duration?)
    case notFound
    /// Another refusal, by its code in the public contract.
    case rejected(status: Int, code: String)

    // What happened on the way
    case transport(TransportError)
    /// Not what the contract says: a proxy's page, a broken reply, a request that is not this account's.
    case unexpectedReply

    // What this phone lacks
    /// The key is gone, or the person refused its use.
    case keyUnavailable
    case storeUnavailable
    case canceled

    public var description: String {
        switch self {
        case .invalidActivationLink: "this is not an activation link"
        case .invalidNumber: "the number must have as many digits as the sign-in page shows"
        case .unknownAccount: "there is no such account on this phone"
        case .unknownRequest: "there is no such open request"
        case .refused: "the server refused this"
        case .notAuthenticated: "the server does not know this device any more; activate it again"
        case .clockSkew: "this device's clock is wrong"
        case .ticketUsed: "this activation link was used already"
        case .tooManyDevices: "the person has as many devices as are allowed; remove one first"
        case .expired: "this has expired"
        case .settled: "this request was settled already"
        case .singleTenant:
            "phone sign-in can be set up for one account in one tenant on a device; disable it there first"
        case .updateRequired(let minimum):
            "this version is too old" + (minimum.map { "; at least \($0.plain) is needed" } ?? "")
        case .invalidCredentials: "the password or pass is not right"
        case .tooManyAttempts(let wait): "too many attempts" + Self.sentence(wait)
        case .unavailable(let wait): "the server is temporarily unavailable" + Self.sentence(wait)
        case .notFound: "the server does not know this"
        case .rejected(let status, let code): "the server refused this: \(code.plain) (\(status))"
        case .transport(let error): error.description
        case .unexpectedReply: "the server's reply is not what the contract says"
        case .keyUnavailable: "the device's key cannot be used"
        case .storeUnavailable: "the accounts of this device cannot be read or written"
        case .canceled: "canceled"
        }
    }

    private static func sentence(_ wait: Duration?) -> String {
        wait.map { "; try again in \($0.components.seconds) s" } ?? ""
    }

    /// Whether the same call may succeed later without anything being changed.
    public var isTemporary: Bool {
        switch self {
        case .unavailable, .tooManyAttempts: true
        case .transport(let error): error != .untrusted && error != .replyTooLarge
        default: false
        }
    }
}
