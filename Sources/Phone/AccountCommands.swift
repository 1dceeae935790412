import ArgumentParser
import Authenticator
import Foundation

struct AccountsCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Lists the accounts on this phone.")
    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions

    func perform(_ phone: Phone) async throws {
        for account in try await phone.authenticator.accounts() { phone.screen.show(account) }
    }
}

struct CodeCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "code", abstract: "Shows the offline code of each account. Needs no network.")
    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @OptionGroup var account: AccountOptions

    func perform(_ phone: Phone) async throws {
        for account in try await phone.accounts(account) {
            let now = Date()
            let code = account.offlineCode.code(at: now)
            let left = Int(code.expiresAt.timeIntervalSince(now).rounded(.up))
            if phone.screen.isJSON {
                phone.screen.write(
                    CodeLine(
                        account: account.id.rawValue, username: account.username, tenant: account.tenant,
                        code: code.code, secondsLeft: left))
            } else {
                phone.screen.say("\(code.code)  \(left) s left  \(account.username) at \(account.tenantName)")
            }
        }
    }
}

struct RenameCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Changes what this phone is called on the web.")
    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @OptionGroup var account: AccountOptions
    @Argument(help: "The new name.") var name: String

    func perform(_ phone: Phone) async throws {
        let account = try await phone.account(account)
        do {
            try await phone.authenticator.update(account.id, to: DeviceUpdate(name: name))
        } catch {
            // The name is all that was sent.
            guard case .rejected(let status, _) = error, status == 422 else { throw error }
            throw PhoneFailure(
                65, "a name has 1 to 64 characters, none of them a control character", word: "invalid_name")
        }
        phone.screen.done(
            "renamed", account, "This phone is now called \(name) for \(account.username) at \(account.tenantName).")
    }
}

struct RemoveCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Removes an account: this phone at the server, and here.",
        discussion: "With --local only here, for a server that is gone; the device then stays registered there.")
    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @OptionGroup var account: AccountOptions
    @Flag(help: "Only here.") var local = false

    func perform(_ phone: Phone) async throws {
        let account = try await phone.account(account)
        if local {
            try await phone.authenticator.forget(account.id)
        } else {
            try await phone.authenticator.remove(account.id)
        }
        phone.screen.done("removed", account, "Removed \(account.username) at \(account.tenantName).")
    }
}

extension Screen {
    func done(_ event: String, _ account: Account, _ sentence: String) {
        if isJSON { write(DoneLine(event: event, account: account.id.rawValue)) } else { say(sentence) }
    }
}
