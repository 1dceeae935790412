import DeviceAPI
import Domain
public import Foundation
import Proofs

/// What a request is for.
public enum ChallengePurpose: String, Sendable, Codable {
    case signIn
    case secondFactor
    /// The last step of this phone's activation.
    case registration
    case phoneSignInSetup
}

/// A request that waits for this phone. It can be declined or reported as it is; to approve it, show it first.
public struct Challenge: Sendable, Hashable, Identifiable {
    public let id: String
    public let account: Account.ID
    public let purpose: ChallengePurpose
    public let expiresAt: Date
    let content: ChallengeContent

    /// Throws `unexpectedReply` unless the content is this request's and this account's: a server that mixes them up must not
    /// make a person approve one thing and sign another.
    init(_ request: PendingRequest, account: Account) throws(AuthenticatorError) {
        guard let bytes = Base64URL.decode(request.content) else { throw .unexpectedReply }
        content = try ChallengeContent(bytes: bytes)
        guard content.id == request.id, content.tenant == account.tenant,
            let purpose = ChallengePurpose(rawValue: request.purpose.rawValue)
        else { throw .unexpectedReply }
        id = request.id
        self.account = account.id
        self.purpose = purpose
        expiresAt = Date(request.expiresAt)
    }

    /// Shows the request's context to the person, and returns the value that can be answered. There is no other way to come by
    /// one: a number is never accepted where nobody saw what it is for.
    public func shown<E: Error>(by show: (ChallengeContent) throws(E) -> Void) throws(E) -> ShownChallenge {
        try show(content)
        return ShownChallenge(challenge: self)
    }

    /// As `shown(by:)`, where showing takes its time.
    public func presented<E: Error>(
        by present: (ChallengeContent) async throws(E) -> Void
    ) async throws(E) -> ShownChallenge {
        try await present(content)
        return ShownChallenge(challenge: self)
    }
}

/// A challenge whose context was shown. What the phone signs is a digest of exactly the bytes that this came from.
public struct ShownChallenge: Sendable, Hashable {
    public let challenge: Challenge
    public var content: ChallengeContent { challenge.content }

    init(challenge: Challenge) { self.challenge = challenge }
}

/// Who asks, for what, from where. Texts are safe to show: one line, no control or direction characters.
public struct ChallengeContent: Sendable, Hashable {
    /// The exact bytes that came: these are signed, not what was parsed from them.
    public let bytes: Data
    public let id: String
    public let tenant: String
    public let user: String
    /// The application that asks; nil where the tenant does not show it.
    public let application: String?
    public let location: String?
    public let ipAddress: String?
    public let userAgent: String?
    public let issuedAt: Date
    public let expiresAt: Date
    /// How many digits the number on the sign-in page has.
    public let numberDigits: Int

    init(bytes: [UInt8]) throws(AuthenticatorError) {
        let data = Data(bytes)
        let parsed: RequestContent
        do { parsed = try JSONDecoder().decode(RequestContent.self, from: data) } catch { throw .unexpectedReply }
        guard AnswerClaims.numberDigits.contains(parsed.numberDigits) else { throw .unexpectedReply }
        self.bytes = data
        id = parsed.id
        tenant = parsed.tenant
        user = parsed.user.plain
        application = parsed.application?.plain
        location = parsed.location?.plain
        ipAddress = parsed.ipAddress?.plain
        userAgent = parsed.userAgent?.plain
        issuedAt = Date(parsed.issuedAt)
        expiresAt = Date(parsed.expiresAt)
        numberDigits = parsed.numberDigits
    }

    var digest: [UInt8] { contentDigest(Array(bytes)) }
}
