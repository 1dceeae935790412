import ArgumentParser
import DeviceAPI
import Domain

struct TenantCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Makes and lists tenants, with the operator's token.",
        subcommands: [Create.self, List.self, RenewToken.self])

    struct OperatorOptions: ParsableArguments {
        @OptionGroup var place: GatewayOptions

        @Option(help: ArgumentHelp("A file with the operator's token.", valueName: "file"))
        var operatorTokenFile: String

        func show(_ tenant: TenantCreated) throws {
            try place.output.one(
                tenant,
                [
                    ("id", tenant.id), ("name", tenant.name),
                    ("adminToken", tenant.adminToken ?? "(shown once, when it was made)"),
                ])
        }

        func run(_ work: (GatewayClient) async throws -> Void) async throws {
            try await place.output.reporting {
                guard let base = place.gateway else { throw AdminFailure(.usage, "--gateway is needed") }
                try await place.connected(to: base, token: SecretFile.token(operatorTokenFile), work)
            }
        }
    }

    private static func id(_ text: String) throws -> TenantID {
        guard TenantID.isValid(text) else {
            throw AdminFailure(.badData, "a tenant's id has 1 to 63 of a-z, 0-9 and -")
        }
        return TenantID(text)
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a tenant and shows its administrator's token, once.")
        @OptionGroup var options: OperatorOptions
        @Argument(help: "Its name in paths: a-z, 0-9 and -.") var id: String
        @Option(help: "What people call it.") var name: String?

        func run() async throws {
            try await options.run { client in
                let id = try TenantCommands.id(id).rawValue
                let creation = TenantCreation(id: id, name: name ?? id)
                try options.show(try await client.call(.post(APIPaths.tenants, creation)).decode())
            }
        }
    }

    struct RenewToken: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends every administrator's token of a tenant and shows a new one, once.")
        @OptionGroup var options: OperatorOptions
        @Argument(help: "The tenant's name in paths.") var id: String

        func run() async throws {
            try await options.run { client in
                let tenant = try TenantCommands.id(id)
                try options.show(try await client.call(.post(APIPaths.renewAdminToken(tenant))).decode())
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
