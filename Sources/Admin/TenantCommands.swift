import ArgumentParser
import DeviceAPI
import Domain

struct TenantCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Makes and lists tenants, with the operator's token.",
        subcommands: [Create.self, List.self])

    struct OperatorOptions: ParsableArguments {
        @OptionGroup var place: GatewayOptions

        @Option(help: ArgumentHelp("A file with the operator's token.", valueName: "file"))
        var operatorTokenFile: String

        func run(_ work: (GatewayClient) async throws -> Void) async throws {
            do {
                guard let base = place.gateway else { throw AdminFailure(.usage, "--gateway is needed") }
                try await place.connected(to: base, token: SecretFile.token(operatorTokenFile), work)
            } catch let failure as AdminFailure {
                Output.complain(failure.description)
                throw ExitCode(failure.kind.rawValue)
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a tenant and shows its administrator's token, once.")
        @OptionGroup var options: OperatorOptions
        @Argument(help: "Its name in paths: a-z, 0-9 and -.") var id: String
        @Option(help: "What people call it.") var name: String?

        func run() async throws {
            try await options.run { client in
                guard TenantID.isValid(id) else {
                    throw AdminFailure(.badData, "a tenant's id has 1 to 63 of a-z, 0-9 and -")
                }
                let created: TenantCreated = try await client.call(
                    .post(APIPaths.tenants, TenantCreation(id: id, name: name ?? id))
                ).decode()
                try options.place.output.one(
                    created,
                    [
                        ("id", created.id), ("name", created.name),
                        ("adminToken", created.adminToken ?? "(shown once, when it was made)"),
                    ])
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the tenants.")
        @OptionGroup var options: OperatorOptions

        func run() async throws {
            try await options.run { client in
                var tenants: [TenantName] = []
                var cursor: String?
                repeat {
                    let page: Page<TenantName> = try await client.call(.get(APIPaths.tenants, [("cursor", cursor)]))
                        .decode()
                    tenants += page.items
                    cursor = page.next
                } while cursor != nil
                try options.place.output.list(tenants, [("ID", \.id), ("NAME", \.name)])
            }
        }
    }
}
