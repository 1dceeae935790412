import Authenticator
import Foundation

/// What the phone shows: text for people, one JSON object a line for programs.
struct Screen: Sendable {
    let isJSON: Bool

    /// Whether a person is there to be asked.
    var isInteractive: Bool { !isJSON && isatty(STDIN_FILENO) == 1 }

    func say(_ text: String) {
        guard !isJSON else { return }
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    func ask(_ question: String) {
        guard !isJSON else { return }
        FileHandle.standardOutput.write(Data(question.utf8))
    }

    func write(_ item: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        guard let data = try? encoder.encode(item) else { preconditionFailure("what the phone shows can be encoded") }
        FileHandle.standardOutput.write(data + Data("\n".utf8))
    }

    func complain(_ failure: PhoneFailure) {
        if isJSON { write(ErrorLine(error: failure.word, detail: failure.sentence)) }
        FileHandle.standardError.write(Data("countersign-phone: \(failure.sentence)\n".utf8))
    }

    func show(_ account: Account) {
        guard !isJSON else { return write(AccountLine(account)) }
        let state =
            account.state == .active
            ? (account.phoneSignIn ? "phone sign-in" : "second factor and codes") : "awaits its number"
        say(
            "\(account.username) at \(account.tenantName) (\(account.tenant), \(account.server)): \(state)  [\(account.id)]"
        )
    }

    /// Shows a request, and returns it as one that was shown.
    func show(_ challenge: Challenge, of account: Account) -> ShownChallenge {
        challenge.shown { content in
            guard !isJSON else { return write(ChallengeLine(challenge, content, account)) }
            say(Self.text(challenge, content, account))
        }
    }

    private static func text(_ challenge: Challenge, _ content: ChallengeContent, _ account: Account) -> String {
        let time = content.issuedAt.formatted(.iso8601)
        let left = max(0, Int(challenge.expiresAt.timeIntervalSinceNow))
        let members: [(String, String?)] = [
            ("Person", "\(content.user) at \(account.tenantName)"), ("Application", content.application),
            ("Place", content.location),
            ("Address", content.ipAddress), ("Device", content.userAgent), ("Time", "\(time), \(left) s left"),
            ("Request", challenge.id),
        ]
        let lines = members.compactMap { name, value in
            value.map { "  " + name.padding(toLength: 13, withPad: " ", startingAt: 0) + $0 }
        }
        return ([Self.title(challenge.purpose)] + lines).joined(separator: "\n")
    }

    private static func title(_ purpose: ChallengePurpose) -> String {
        switch purpose {
        case .signIn: "Are you trying to sign in?"
        case .secondFactor: "Are you trying to sign in? (second factor)"
        case .registration: "Confirm this phone"
        case .phoneSignInSetup: "Set up phone sign-in"
        }
    }

    func show(_ outcome: AnswerOutcome, id: String) {
        let (status, reason, text): (String, String?, String) =
            switch outcome {
            case .approved: ("approved", nil, "Approved.")
            case .denied(.declined): ("denied", "declined", "Declined.")
            case .denied(.reported): ("denied", "reported", "Reported.")
            case .denied(.wrongNumber): ("denied", "wrong_number", "That was not the number. The request is denied.")
            case .wrongNumberTryAgain: ("pending", "wrong_number", "That was not the number. Try again.")
            }
        guard !isJSON else { return write(OutcomeLine(id: id, status: status, reason: reason)) }
        say(text)
    }
}
