// A complete phone in a terminal: it activates, shows requests, asks for the number, and makes offline codes.
//
// Owns: commands, what they print, and reading QR codes from images. Must not know: how anything is signed or sent; that is the
// `Authenticator` library's. Start reading here; each `<X>Command.swift` is one command.

import ArgumentParser

@main
struct PhoneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "countersign-phone",
        abstract: "A phone in a terminal: approves sign-ins by number and makes offline codes.",
        discussion: """
            A first sign-in by hand:
              countersign-phone activate --qr code.png     scan the QR code of the security-info page
              countersign-phone listen                     then type the number that the page shows
              countersign-phone phone-sign-in enable       sign in without a password from now on

            ACCOUNT is a user name, user name@tenant, or an id; with one account it can be left out. With --json every thing is one JSON object
            on one line and nothing is ever asked, so that scripts can use `listen --json` or `pending --json` and then `approve`.

            Keys and accounts are in one file that only you can read (--file, else ~/.config/countersign/phone.json). Whoever has that file has
            this phone.

            Exit codes: 0 done, 1 the request was denied, 64 usage, 65 bad data, 66 no such file, account or request, 69 unavailable,
            74 the accounts cannot be kept, 75 nothing came in time or try later, 76 unexpected reply, 77 refused.
            """,
        subcommands: [
            ActivateCommand.self, AccountsCommand.self, ListenCommand.self, PendingCommand.self, ApproveCommand.self,
            DeclineCommand.self,
            ReportCommand.self, CodeCommand.self, PhoneSignInCommand.self, RenameCommand.self, RemoveCommand.self,
        ])

    @Option(help: ArgumentHelp("Where keys and accounts are.", valueName: "file"))
    var file: String?
}
