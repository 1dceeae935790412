import ArgumentParser
import Authenticator
import AuthenticatorHTTP
import Foundation

/// What every command takes.
struct PhoneOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where keys and accounts are.", valueName: "file"))
    var file: String?

    @Flag(help: "Print one JSON object a line, and ask nothing.")
    var json = false

    @Option(
        help: ArgumentHelp("Certificate authorities to trust instead of the system's, a PEM file.", valueName: "file"))
    var caFile: String?

    @Flag(help: "Allow servers without TLS that are not this machine: for closed test networks only.")
    var allowPlainHttp = false

    var screen: Screen { Screen(isJSON: json) }
}

/// Which account.
struct AccountOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("User name, user name@tenant, or id; needed with several accounts.", valueName: "account"))
    var account: String?
}

/// A command of the phone: `perform` does it with an authenticator at hand.
protocol PhoneSubcommand: AsyncParsableCommand {
    var root: PhoneCommand { get }
    var options: PhoneOptions { get }
    func perform(_ phone: Phone) async throws
}

extension PhoneSubcommand {
    func run() async throws {
        let vault = FileVault(path: options.file ?? root.file ?? FileVault.defaultPath)
        let transport = HTTPTransport(
            HTTPTransport.Configuration(trustRootsFile: options.caFile, userAgent: "countersign-phone/\(Phone.version)")
        )
        let failure: PhoneFailure?
        do {
            try await vault.validate()
            let authenticator = Authenticator(
                keys: vault, accounts: vault, transport: transport, allowsPlainHTTP: options.allowPlainHttp)
            try await perform(Phone(authenticator: authenticator, screen: options.screen))
            failure = nil
        } catch let error as ExitCode {
            await transport.shutdown()
            throw error
        } catch {
            failure = PhoneFailure(error, file: vault.path)
        }
        await transport.shutdown()
        guard let failure else { return }
        options.screen.complain(failure)
        throw ExitCode(failure.status)
    }
}

/// What commands work with.
struct Phone: Sendable {
    static let version = "1.0.0"

    let authenticator: Authenticator
    let screen: Screen

    /// What this machine says of itself.
    static func profile(named name: String?) -> DeviceProfile {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        return DeviceProfile(
            name: name ?? "Terminal on \(ProcessInfo.processInfo.hostName)", platform: .cli,
            osVersion: "\(version.majorVersion).\(version.minorVersion)", appVersion: Self.version)
    }

    /// The account that is meant; the only one when none is named.
    func account(_ options: AccountOptions) async throws -> Account {
        let accounts = try await authenticator.accounts()
        guard let name = options.account else {
            guard let only = accounts.first else { throw PhoneFailure(66, "no account yet: activate one first") }
            guard accounts.count == 1 else { throw PhoneFailure(64, "several accounts: name one with --account") }
            return only
        }
        let found = accounts.filter { $0.matches(name) }
        guard let account = found.first else { throw PhoneFailure(66, "there is no such account") }
        guard found.count == 1 else {
            throw PhoneFailure(64, "several accounts have this name: add @tenant, or give the id")
        }
        return account
    }

    /// Those that are meant: the named one, or all.
    func accounts(_ options: AccountOptions) async throws -> [Account] {
        guard options.account == nil else { return [try await account(options)] }
        let accounts = try await authenticator.accounts()
        guard !accounts.isEmpty else { throw PhoneFailure(66, "no account yet: activate one first") }
        return accounts
    }

    /// The open request with this id, whichever account it is for. An account whose server is away does not hide another's request.
    func challenge(_ id: String, _ options: AccountOptions) async throws -> (Challenge, Account) {
        var failure: AuthenticatorError?
        for account in try await accounts(options) {
            do throws(AuthenticatorError) {
                if let challenge = try await authenticator.pending(account.id).first(where: { $0.id == id }) {
                    return (challenge, account)
                }
            } catch {
                failure = error
            }
        }
        throw failure ?? AuthenticatorError.unknownRequest
    }
}
