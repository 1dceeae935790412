import ArgumentParser
import Foundation

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Makes the demo tenant with an application, an administrator and three people.",
        discussion: """
            Writes every credential to one file, readable by its owner only. When that file exists and its credentials work, nothing
            changes; after an interruption the same call goes on where it stopped.
            """)

    @OptionGroup var place: GatewayOptions

    @Option(help: ArgumentHelp("A file with the operator's token.", valueName: "file"))
    var operatorTokenFile: String

    @Option(help: ArgumentHelp("Where to write.", valueName: "file"))
    var out = "var/demo.json"

    @Flag(help: "Also prints who can sign in, with passwords.")
    var showPasswords = false

    func run() async throws {
        try await reporting(on: place.output) {
            guard let base = place.gateway else { throw AdminFailure(.usage, "--gateway is needed") }
            try await place.connected(to: base, token: SecretFile.token(operatorTokenFile)) { client in
                switch try await DemoSetUp(client: client, file: out).run() {
                case .unchanged: place.output.done("The demo tenant stands; \(out) is unchanged.")
                case .moved: place.output.done("The demo tenant stands; \(out) now names this gateway.")
                case .made: place.output.done("The demo tenant is made; its credentials are in \(out).")
                }
                guard showPasswords else { return }
                try place.output.list(
                    DemoFile.read(out).people, [("user name", { $0.username }), ("password", { $0.password })])
            }
        }
    }
}
