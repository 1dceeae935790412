// countersign-loadtest: pushes sign-ins at a gateway and says what it bears.
//
// Owns: options, exit codes, what is shown. Must not know: how a sign-in is made; that is the `LoadTest` library's. Start reading at
// `RunCommand.run`.

import ArgumentParser

@main
struct LoadTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "countersign-loadtest",
        abstract: "Pushes sign-ins at a gateway with simulated phones, and says what it bears.",
        subcommands: [RunCommand.self, MergeCommand.self, RemoveCommand.self], defaultSubcommand: RunCommand.self)
}
