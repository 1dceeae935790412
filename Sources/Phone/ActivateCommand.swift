import ArgumentParser
import Authenticator
import Foundation

struct ActivateCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Makes this a phone of the person who was shown the QR code.",
        discussion: """
            The page then shows a number: type it here, or settle the request that `pending` lists with `approve`. In a terminal phone sign-in
            is offered next, where it is allowed. With - the link is read from standard input, so that its ticket is not on the command line.
            """)

    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @Argument(
        help: ArgumentHelp("The activation link, countersign://activate?…, or - for standard input.", valueName: "uri"))
    var uri: String?
    @Option(help: ArgumentHelp("An image with the QR code: PNG, JPEG, GIF or WebP.", valueName: "image"))
    var qr: String?
    @Option(help: "What this phone is called on the web.") var name: String?
    @Flag(help: "Give this account a key of its own instead of the phone's one key.") var ownKey = false

    func validate() throws {
        guard (uri == nil) != (qr == nil) else { throw ValidationError("Give a link or --qr.") }
    }

    func perform(_ phone: Phone) async throws {
        let link = try link()
        phone.screen.say("Activating \(link.account) at \(link.issuer) (\(link.serverName)) …")
        let account = try await phone.authenticator.activate(
            link, as: Phone.profile(named: name), key: ownKey ? .own : .shared)
        phone.screen.show(account)
        guard phone.screen.isInteractive else { return }
        for challenge in try await phone.authenticator.pending(account.id) where challenge.purpose == .registration {
            try await phone.askNumber(challenge, of: account)
        }
        guard try await phone.authenticator.account(account.id).state == .active else { return }
        try await phone.offerPhoneSignIn(account)
    }

    private func link() throws -> ActivationLink {
        if let qr {
            let links = try QRImage.texts(inFile: qr).compactMap { try? ActivationLink($0) }
            guard let link = links.first else { throw PhoneFailure(65, "\(qr) shows no activation code") }
            guard Set(links).count == 1 else { throw PhoneFailure(65, "\(qr) shows several activation codes") }
            return link
        }
        guard uri == "-" else { return try ActivationLink(uri ?? "") }
        return try ActivationLink((readLine() ?? "").trimmingCharacters(in: .whitespaces))
    }
}

extension Phone {
    /// Shows a request, asks for the number, and answers.
    func askNumber(_ challenge: Challenge, of account: Account, userVerified: Bool = false) async throws {
        let shown = screen.show(challenge, of: account)
        while true {
            screen.ask("Number: ")
            guard let line = readLine() else { return }
            let outcome: AnswerOutcome
            do {
                outcome = try await authenticator.answer(
                    shown,
                    with: .approve(number: line.trimmingCharacters(in: .whitespaces), userVerified: userVerified))
            } catch AuthenticatorError.invalidNumber {
                screen.say("The number has \(shown.content.numberDigits) digits.")
                continue
            }
            screen.show(outcome, id: challenge.id)
            if outcome == .wrongNumberTryAgain { continue }
            if outcome != .approved { throw ExitCode(1) }
            return
        }
    }

    /// Offers phone sign-in to somebody who has just activated this phone, or says why it cannot be set up. The password is asked for
    /// unless the activation itself was made in a session that speaks for it.
    func offerPhoneSignIn(_ account: Account) async throws {
        let status = try await authenticator.phoneSignInStatus(account.id)
        if let refusal = status.setUpRefusal {
            return screen.say("Phone sign-in stays off: \(PhoneFailure(refusal, settingUp: account).sentence).")
        }
        screen.ask("Set up phone sign-in, to sign in without a password? [Y/n] ")
        guard let line = readLine(), ["", "y", "yes"].contains(line.trimmingCharacters(in: .whitespaces).lowercased())
        else { return }
        guard let setup = try await startPhoneSignIn(account, needsCredential: status.needsCredential) else { return }
        screen.say("The number is \(setup.number).")
        let (challenge, _) = try await self.challenge(setup.challengeID, AccountOptions.of(account))
        try await askNumber(challenge, of: account)
    }

    /// Nil when no password was given.
    private func startPhoneSignIn(_ account: Account, needsCredential: Bool) async throws -> PhoneSignInSetup? {
        if !needsCredential {
            do {
                return try await authenticator.setUpPhoneSignIn(account.id, with: .activationSession)
            } catch {
                guard error == .invalidCredentials else { throw error }
            }
        }
        guard let password = getpass("Password: ").map({ String(cString: $0) }), !password.isEmpty else { return nil }
        return try await authenticator.setUpPhoneSignIn(account.id, with: .password(password))
    }
}
