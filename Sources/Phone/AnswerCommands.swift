import ArgumentParser
import Authenticator
import Foundation

struct PendingCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "pending", abstract: "Lists the requests that wait for an answer.")
    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @OptionGroup var account: AccountOptions

    func perform(_ phone: Phone) async throws {
        for account in try await phone.accounts(account) {
            for challenge in try await phone.authenticator.pending(account.id) {
                _ = phone.screen.show(challenge, of: account)
            }
        }
    }
}

struct ApproveCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Shows a request and approves it with the number on the sign-in page.",
        discussion: "Exits with 1 when the number is wrong.")
    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @OptionGroup var account: AccountOptions
    @Argument(help: "The request's id.") var id: String
    @Option(help: "The number; asked for when left out.") var number: String?
    @Flag(
        help: ArgumentHelp(
            "Says that you have just unlocked this device by fingerprint, face or code.",
            discussion: "A tenant with the NIST profile takes no approval without. This command has no lock of its own."
        ))
    var userVerified = false

    func perform(_ phone: Phone) async throws {
        let (challenge, account) = try await phone.challenge(id, account)
        guard let number else {
            guard phone.screen.isInteractive else { throw PhoneFailure(64, "--number is needed") }
            return try await phone.askNumber(challenge, of: account, userVerified: userVerified)
        }
        let outcome = try await phone.authenticator.answer(
            phone.screen.show(challenge, of: account), with: .approve(number: number, userVerified: userVerified))
        phone.screen.show(outcome, id: id)
        if outcome != .approved { throw ExitCode(1) }
    }
}

struct DeclineCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(commandName: "decline", abstract: "Refuses a request.")
    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @OptionGroup var account: AccountOptions
    @Argument(help: "The request's id.") var id: String

    func perform(_ phone: Phone) async throws {
        let (challenge, _) = try await phone.challenge(id, account)
        phone.screen.show(try await phone.authenticator.decline(challenge), id: id)
    }
}

struct ReportCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Refuses a request and says that you did not cause it.")
    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @OptionGroup var account: AccountOptions
    @Argument(help: "The request's id.") var id: String

    func perform(_ phone: Phone) async throws {
        let (challenge, _) = try await phone.challenge(id, account)
        phone.screen.show(try await phone.authenticator.report(challenge), id: id)
    }
}
