import ArgumentParser
import DeviceAPI
import Domain
import Foundation

/// Where the gateway is. Shared by all commands.
struct GatewayOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The gateway's URL, e.g. http://127.0.0.1:8080.", valueName: "url"))
    var gateway: String?

    @Option(
        help: ArgumentHelp("Certificate authorities to trust instead of the system's, a PEM file.", valueName: "file"))
    var caFile: String?

    @Flag(help: "Print one JSON object a line.")
    var json = false

    var output: Output { Output(isJSON: json) }

    /// Runs `work` with a client, and closes it.
    func connected(to base: String, token: String?, _ work: (GatewayClient) async throws -> Void) async throws {
        let client = GatewayClient(base: base, token: token, trustRootsFile: caFile)
        do {
            try await work(client)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }
}

/// Which tenant, and as whom.
struct ConnectionOptions: ParsableArguments {
    @OptionGroup var place: GatewayOptions

    @Option(help: ArgumentHelp("The tenant.", valueName: "name"))
    var tenant: String?

    @Option(
        help: ArgumentHelp(
            "A file with an administrator's token; without it COUNTERSIGN_TOKEN is read.", valueName: "file"))
    var tokenFile: String?

    @Option(
        help: ArgumentHelp("Take gateway, tenant and token from a file as `make run` writes it.", valueName: "file"))
    var demo: String?

    /// Runs `work` for the tenant, and reports how it ends. Whoever calls as somebody else needs no administrator's token.
    func run(asAdministrator: Bool = true, _ work: (TenantAdministration) async throws -> Void) async throws {
        try await place.output.reporting {
            let demo = try demo.map { try DemoFile.read($0) }
            guard let base = place.gateway ?? demo?.base else {
                throw AdminFailure(.usage, "--gateway or --demo is needed")
            }
            guard let tenant = tenant ?? demo?.tenant, TenantID.isValid(tenant) else {
                throw AdminFailure(.usage, "--tenant (letters a-z, digits and -) or --demo is needed")
            }
            let token = asAdministrator ? try token(demo) : nil
            try await place.connected(to: base, token: token) { client in
                try await work(TenantAdministration(client: client, tenant: TenantID(tenant), output: place.output))
            }
        }
    }

    private func token(_ demo: DemoFile?) throws -> String {
        let token =
            try tokenFile.map { try SecretFile.token($0) } ?? ProcessInfo.processInfo.environment["COUNTERSIGN_TOKEN"]
            ?? demo?.admin.token
        guard let token else { throw AdminFailure(.usage, "--token-file, COUNTERSIGN_TOKEN or --demo is needed") }
        return token
    }
}
