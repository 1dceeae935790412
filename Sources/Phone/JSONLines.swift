import Authenticator
import Foundation

// The objects of --json: part of the command's contract.

struct ErrorLine: Encodable {
    var event = "error"
    let error: String
    let detail: String
}

struct AccountLine: Encodable {
    let id, server, tenant, tenantName, username, displayName, deviceName, state: String
    let phoneSignIn: Bool
    let activatedAt: Date

    init(_ account: Account) {
        id = account.id.rawValue
        server = account.server
        tenant = account.tenant
        tenantName = account.tenantName
        username = account.username
        displayName = account.displayName
        deviceName = account.deviceName
        state = account.state.rawValue
        phoneSignIn = account.phoneSignIn
        activatedAt = account.activatedAt
    }
}

struct ChallengeLine: Encodable {
    var event = "challenge"
    let account, id, purpose, tenant, user: String
    let application, location, ipAddress, userAgent: String?
    let issuedAt, expiresAt: Date
    let numberDigits: Int

    init(_ challenge: Challenge, _ content: ChallengeContent, _ account: Account) {
        self.account = account.id.rawValue
        id = challenge.id
        purpose = challenge.purpose.rawValue
        tenant = content.tenant
        user = content.user
        application = content.application
        location = content.location
        ipAddress = content.ipAddress
        userAgent = content.userAgent
        issuedAt = content.issuedAt
        expiresAt = challenge.expiresAt
        numberDigits = content.numberDigits
    }
}

struct OutcomeLine: Encodable {
    var event = "answered"
    let id, status: String
    let reason: String?
}

struct SettledLine: Encodable {
    var event = "settled"
    let account, id, status: String
}

struct ConnectionLine: Encodable {
    /// connected or disconnected.
    let event: String
    let account: String
    var detail: String?
    var retryAfterMilliseconds: Int64?
}

struct CodeLine: Encodable {
    let account, username, tenant, code: String
    let secondsLeft: Int
}

struct SetupLine: Encodable {
    var event = "phoneSignInSetup"
    let account, challengeId, number: String
}

struct PhoneSignInLine: Encodable {
    let account: String
    let enabled: Bool
    let createdDateTime: Date?
    /// The `error` of the line that `enable` would end with now, whatever the person shows.
    let refusal: String?
    let needsCredential: Bool
}

struct DoneLine: Encodable {
    /// removed, renamed, disabled.
    let event: String
    let account: String
}
