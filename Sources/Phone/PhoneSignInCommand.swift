import ArgumentParser
import Authenticator
import Foundation

struct PhoneSignInCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phone-sign-in", abstract: "Sign in with this phone instead of a password.",
        subcommands: [Enable.self, Disable.self, Status.self])

    struct Enable: PhoneSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets up phone sign-in.",
            discussion: """
                Asks for the account's password when neither a file nor standard input is named. The server then gives a number: type it again to
                confirm, or settle the request with `approve` (with --json the number is printed for that).
                """)
        @ParentCommand var root: PhoneCommand
        @OptionGroup var options: PhoneOptions
        @OptionGroup var account: AccountOptions
        @Option(help: ArgumentHelp("A file whose first line is the password.", valueName: "file")) var passwordFile:
            String?
        @Flag(help: "Read the password from standard input.") var passwordStdin = false
        @Flag(help: "What is read is a Temporary Access Pass.") var pass = false
        @Flag(help: "This phone was activated in a session that a Temporary Access Pass opened: nothing is read.")
        var activationSession = false
        @Flag(help: "Answer the request at once with the number that the server gave to this phone.") var confirm =
            false

        func validate() throws {
            guard [passwordFile != nil, passwordStdin, activationSession].count(where: { $0 }) <= 1 else {
                throw ValidationError("Give one of --password-file, --password-stdin, --activation-session.")
            }
        }

        func perform(_ phone: Phone) async throws {
            let account = try await phone.account(account)
            let setup = try await phone.authenticator.setUpPhoneSignIn(account.id, with: credential(phone, account))
            if phone.screen.isJSON {
                phone.screen.write(
                    SetupLine(account: account.id.rawValue, challengeId: setup.challengeID, number: setup.number))
            }
            phone.screen.say("The number is \(setup.number).")
            guard confirm || phone.screen.isInteractive else { return }
            let (challenge, _) = try await phone.challenge(setup.challengeID, AccountOptions.of(account))
            guard confirm else { return try await phone.askNumber(challenge, of: account) }
            let outcome = try await phone.authenticator.answer(
                phone.screen.show(challenge, of: account), with: .approve(number: setup.number))
            phone.screen.show(outcome, id: challenge.id)
            if outcome != .approved { throw ExitCode(1) }
        }

        /// Nothing is asked for where the set-up would be refused all the same.
        private func credential(_ phone: Phone, _ account: Account) async throws -> PhoneSignInCredential {
            switch try await phone.authenticator.phoneSignInStatus(account.id).setUpRefusal {
            case nil: break
            // Only the refusal itself names the version that is needed.
            case .updateRequired: return .activationSession
            case let refusal?: throw PhoneFailure(refusal, settingUp: account)
            }
            if activationSession { return .activationSession }
            let secret = try secret(phone.screen)
            return pass ? .temporaryAccessPass(secret) : .password(secret)
        }

        private func secret(_ screen: Screen) throws -> String {
            let line: String?
            if let passwordFile {
                guard let data = FileManager.default.contents(atPath: passwordFile) else {
                    throw PhoneFailure(66, "\(passwordFile) cannot be read")
                }
                line = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init)
            } else if passwordStdin || !screen.isInteractive {
                line = readLine()
            } else {
                line = getpass(pass ? "Temporary Access Pass: " : "Password: ").map { String(cString: $0) }
            }
            guard let line, !line.isEmpty else { throw PhoneFailure(65, "there is no password") }
            return line
        }
    }

    struct Disable: PhoneSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Turns phone sign-in off; second-factor requests and codes stay.")
        @ParentCommand var root: PhoneCommand
        @OptionGroup var options: PhoneOptions
        @OptionGroup var account: AccountOptions

        func perform(_ phone: Phone) async throws {
            let account = try await phone.account(account)
            try await phone.authenticator.disablePhoneSignIn(account.id)
            phone.screen.done(
                "disabled", account, "Phone sign-in is off for \(account.username) at \(account.tenantName).")
        }
    }

    struct Status: PhoneSubcommand {
        static let configuration = CommandConfiguration(
            abstract: "Asks the server whether phone sign-in is on, and what is in its way.")
        @ParentCommand var root: PhoneCommand
        @OptionGroup var options: PhoneOptions
        @OptionGroup var account: AccountOptions

        func perform(_ phone: Phone) async throws {
            let account = try await phone.account(account)
            let status = try await phone.authenticator.phoneSignInStatus(account.id)
            let refusal = status.setUpRefusal.map { PhoneFailure($0, settingUp: account) }
            if phone.screen.isJSON {
                return phone.screen.write(
                    PhoneSignInLine(
                        account: account.id.rawValue, enabled: status.isEnabled, createdDateTime: status.enabledAt,
                        refusal: refusal?.word, needsCredential: status.needsCredential))
            }
            let since = status.enabledAt.map { " since \($0.formatted(.iso8601))" } ?? ""
            phone.screen.say(
                "Phone sign-in is \(status.isEnabled ? "on\(since)" : "off") for \(account.username) at \(account.tenantName)."
            )
            guard let refusal else { return }
            phone.screen.say("It cannot be \(status.isEnabled ? "used" : "set up") now: \(refusal.sentence).")
        }
    }
}

extension AccountOptions {
    static func of(_ account: Account) -> AccountOptions {
        var options = AccountOptions()
        options.account = account.id.rawValue
        return options
    }
}
