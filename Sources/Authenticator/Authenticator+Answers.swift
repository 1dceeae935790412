import DeviceAPI
import Domain
import Foundation
import Proofs

/// An answer as it was signed. ECDSA signatures differ each time, and only the same bytes are a repeat.
struct UnconfirmedAnswer: Sendable {
    let answer: Answer
    let signed: Data
    let expiresAt: Date
}

extension Authenticator {
    /// How often one answer is sent before the caller is told that it did not arrive.
    static let answerAttemptsMax = 4
    private static let answerRetry = ReconnectPolicy(first: .milliseconds(400), longest: .seconds(4))

    /// The requests that wait for this account's answer. One that this version cannot read, and so not show, is left out.
    public func pending(_ id: Account.ID) async throws(AuthenticatorError) -> [Challenge] {
        let account = try await account(id)
        let reply = try await call(DeviceCall(method: "GET", url: account.challengesURL), of: account)
        return try Self.decode(PendingRequests.self, reply).challenges.compactMap { request in
            try? Challenge(request, account: account)
        }
    }

    /// Answers a request whose context was shown. Throws `invalidNumber` before anything is sent, and `refused`, `settled`,
    /// `expired`, `updateRequired`. After any other error the answer may have arrived: answer again with the same value, and the
    /// server gets the same bytes.
    public func answer(_ shown: ShownChallenge, with answer: Answer) async throws(AuthenticatorError) -> AnswerOutcome {
        try await settle(shown.challenge, with: answer)
    }

    /// Refuses a request, for instance from a notification that was not opened. Errors as `answer`.
    public func decline(_ challenge: Challenge) async throws(AuthenticatorError) -> AnswerOutcome {
        try await settle(challenge, with: .decline)
    }

    /// Refuses a request and says that the person did not cause it. Errors as `answer`.
    public func report(_ challenge: Challenge) async throws(AuthenticatorError) -> AnswerOutcome {
        try await settle(challenge, with: .report)
    }

    private func settle(_ challenge: Challenge, with answer: Answer) async throws(AuthenticatorError) -> AnswerOutcome {
        let account = try await account(challenge.account)
        let body = try await signedAnswer(to: challenge, answer, of: account)
        let reply: TransportResponse
        do {
            reply = try await deliver(body, to: account.answerURL(challenge.id))
        } catch {
            if !error.isTemporary && error != .canceled { unconfirmedAnswers[challenge.id] = nil }
            throw error
        }
        unconfirmedAnswers[challenge.id] = nil
        let outcome = try AnswerOutcome(Self.decode(AnswerReply.self, reply))
        try await apply(outcome, of: challenge.purpose, to: account)
        return outcome
    }

    private func signedAnswer(to challenge: Challenge, _ answer: Answer, of account: Account)
        async throws(AuthenticatorError) -> Data
    {
        unconfirmedAnswers = unconfirmedAnswers.filter { $0.value.expiresAt > surroundings.now() }
        if let earlier = unconfirmedAnswers[challenge.id], earlier.answer == answer { return earlier.signed }
        let claims = AnswerClaims(
            audience: account.audience, challenge: ChallengeID(challenge.id),
            choice: try answer.choice(digits: challenge.content.numberDigits), contentDigest: challenge.content.digest,
            issuedAt: time(at: account.server))
        let signer = try await signer(of: account)
        let text: String
        do { text = try await claims.signed(by: signer, device: DeviceID(account.id.rawValue)) } catch {
            throw .keyUnavailable
        }
        let body = Self.encode(AnswerRequest(answer: text))
        unconfirmedAnswers[challenge.id] = UnconfirmedAnswer(
            answer: answer, signed: body, expiresAt: challenge.expiresAt)
        return body
    }

    /// Sends the same bytes until the server says what became of them.
    private func deliver(_ body: Data, to url: String) async throws(AuthenticatorError) -> TransportResponse {
        var attempt = 1
        while true {
            let error: AuthenticatorError
            do {
                let reply = try await send(Self.request(DeviceCall(method: "POST", url: url, body: body)))
                if (200..<300).contains(reply.head.status) { return reply }
                error = AuthenticatorError(reply)
            } catch let failure {
                error = failure
            }
            guard error.isTemporary, attempt < Self.answerAttemptsMax else { throw error }
            try await pause(Self.answerRetry.delay(failures: attempt, random: random(), wish: error.retryAfter))
            attempt += 1
        }
    }

    private func apply(_ outcome: AnswerOutcome, of purpose: ChallengePurpose, to account: Account)
        async throws(AuthenticatorError)
    {
        switch (purpose, outcome) {
        case (.registration, .approved): try await update(account.id) { $0.state = .active }
        // The activation has ended, and the device with it: nothing is left that the account could be used for.
        case (.registration, .denied): try await forget(account.id)
        case (.phoneSignInSetup, .approved): try await update(account.id) { $0.phoneSignIn = true }
        default: break
        }
    }

    /// In 0..<1.
    func random() -> Double {
        Double(surroundings.randomBytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) / 4_294_967_296
    }

    func pause(_ duration: Duration) async throws(AuthenticatorError) {
        do { try await surroundings.pause(duration) } catch { throw .canceled }
    }
}

extension AuthenticatorError {
    var retryAfter: Duration? {
        switch self {
        case .unavailable(let wait), .tooManyAttempts(let wait): wait
        default: nil
        }
    }
}

extension AnswerOutcome {
    init(_ reply: AnswerReply) throws(AuthenticatorError) {
        switch (reply.status, reply.reason) {
        case (.approved, _), (.redeemed, _): self = .approved
        case (.denied, .declined?): self = .denied(.declined)
        case (.denied, .reported?): self = .denied(.reported)
        case (.denied, .wrongNumber?): self = .denied(.wrongNumber)
        case (.pending, .wrongNumber?): self = .wrongNumberTryAgain
        default: throw .unexpectedReply
        }
    }
}
