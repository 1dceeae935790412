// The operator's and administrator's tool: what it does to a running system, it does through the gateway's public API. Two commands
// work on files instead, where those are: `store copy` and `keys`.
//
// Owns: how commands read and print, and the demo tenant's set-up. Must not know: the services, what they say to each other, what a
// record means. Start reading here; `GatewayClient` speaks, each `<X>Commands.swift` is one group of commands.

import ArgumentParser

@main
struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "countersign-admin",
        abstract: "Administers a running Countersign through its gateway.",
        discussion: """
            Commands of a tenant need its gateway, its name and a token of an administrator:
              --gateway URL --tenant NAME --token-file FILE   (or the token in COUNTERSIGN_TOKEN)
              --demo var/demo.json                            all three from the file that `make run` writes

            USER is a user name or an id; GROUP is a group's name or id. With --json every item is one JSON object on one line.
            A token is never taken from the command line, where other people of the machine could read it.

            Exit codes: 0 done, 1 done in part (import), 64 usage, 65 bad data, 66 no such file or thing, 69 gateway unavailable,
            73 a file cannot be written, 75 try later, 76 unexpected reply, 77 refused or not authenticated. With --json a failure
            is an object too: event "error", error, detail.
            """,
        subcommands: [
            TenantCommands.self, UserCommands.self, GroupCommands.self, PolicyCommands.self, SettingsCommands.self,
            PassCommands.self, PushCommands.self,
            ClientCommands.self, SignInsCommand.self, AuditCommand.self, TryCommands.self, DemoCommand.self,
            StoreCommands.self, KeysCommands.self,
        ])
}
