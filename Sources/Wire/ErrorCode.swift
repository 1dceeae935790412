/// Everything that can go wrong, as one closed list: the `code` of the public problem document and the status of a reply on the
/// bus. Numbers are the wire's and are never reused.
package enum ErrorCode: UInt32, Sendable, Hashable, CaseIterable {
    case malformed = 1
    case unknownMember = 2
    case notAuthenticated = 10
    case invalidCredentials = 11
    case invalidProof = 12
    case clockSkew = 13
    case refused = 20
    case updateRequired = 21
    case notFound = 30
    case methodNotAllowed = 31
    case alreadyExists = 40
    case alreadyRedeemed = 41
    case notApproved = 42
    case settled = 43
    case singleTenant = 44
    case ticketUsed = 45
    case tooManyDevices = 46
    case tooManyActivations = 47
    case idempotencyKeyUsed = 48
    case conflict = 49
    case expired = 50
    case preconditionFailed = 60
    case preconditionRequired = 61
    case tooLarge = 70
    case unsupportedMediaType = 71
    case invalidCode = 80
    case invalidUsername = 81
    case unknownApplication = 82
    case idempotencyMismatch = 83
    case outOfRange = 84
    case unknownTarget = 85
    case invalidValue = 86
    case tooManyAttempts = 90
    case unavailable = 100
    case overloaded = 101
    case `internal` = 110

    /// The public name, e.g. `already_redeemed`.
    package var name: String {
        var result = ""
        for character in String(describing: self) {
            if character.isUppercase { result += "_" + character.lowercased() } else { result.append(character) }
        }
        return result
    }
}
