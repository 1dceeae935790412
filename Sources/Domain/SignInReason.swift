/// Why a request ended as it did, exactly: for the sign-in log, which only administrators read. Outside the reasons are neutral.
package enum SignInReason: String, Sendable, Codable, CaseIterable {
    // Why a request never reached a phone.
    case unknownUser = "unknown_user"
    case blocked
    case outsidePolicy = "outside_policy"
    case noDevice = "no_device"
    case tooManyOpen = "too_many_open"
    /// The policy changed while the request was open.
    case policyChanged = "policy_changed"
    // What the person did.
    case declined
    case reported
    case wrongNumber = "wrong_number"
    // What time and others did.
    case timeout
    case notRedeemed = "not_redeemed"
    case canceled
    case deviceRemoved = "device_removed"
    case phoneSignInDisabled = "phone_sign_in_disabled"
    case passwordChanged = "password_changed"
    case personRemoved = "person_removed"
    // What was tried in vain while the request stayed open.
    case invalidCode = "invalid_code"
    case passwordMissing = "password_missing"
    case tooManyAttempts = "too_many_attempts"
    case updateRequired = "update_required"
    case userVerificationMissing = "user_verification_missing"

    package init(_ reason: DenialReason) {
        switch reason {
        case .declined: self = .declined
        case .reported: self = .reported
        case .wrongNumber: self = .wrongNumber
        }
    }
}
