import ArgumentParser
import DeviceAPI
import Domain

struct ClientCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients", abstract: "Applications that may ask for sign-ins.",
        subcommands: [List.self, Create.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists applications.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            try await connection.run { tenant in
                try tenant.output.list(
                    try await tenant.all(ClientDocument.self, APIPaths.clients(tenant.tenant)),
                    [
                        ("NAME", \.name), ("ROLES", { $0.roles.joined(separator: ",") }),
                        (
                            "MAY SHOW",
                            { $0.anyApplication ? "any name" : ([$0.name] + $0.applications).joined(separator: ", ") }
                        ), ("ID", \.id),
                    ])
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes an application and shows its secret, once.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Its name, as phones show it.") var name: String
        @Option(help: "Another name that it may show; can be repeated.") var application: [String] = []
        @Flag(help: "Lets it show any name.") var anyApplication = false
        @Option(help: "signIn or admin; can be repeated. Without: signIn.") var role: [String] = []

        func run() async throws {
            try await connection.run { tenant in
                let body = ClientCreation(
                    name: name, applications: application.isEmpty ? nil : application,
                    anyApplication: anyApplication ? true : nil,
                    roles: role.isEmpty ? nil : role)
                let created: ClientCreated = try await tenant.client.call(.post(APIPaths.clients(tenant.tenant), body))
                    .decode()
                try tenant.output.one(
                    created, [("id", created.id), ("secret", created.secret), ("name", created.name)])
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes an application.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Its id.") var id: String

        func run() async throws {
            try await connection.run { tenant in
                try await tenant.client.call(
                    .delete(APIPaths.client(tenant.tenant, ClientID(GatewayClient.encoded(id)))))
                tenant.output.done("Removed.")
            }
        }
    }
}
