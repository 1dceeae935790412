import ArgumentParser
import DeviceAPI
import Domain

extension UserCommands {
    struct Block: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a person's sessions and requests and lets no new ones reach a phone.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String

        func run() async throws {
            try await connection.run { tenant in
                try await tenant.client.call(.post(APIPaths.blockUser(tenant.tenant, try await tenant.personID(user))))
                tenant.output.done("Blocked.")
            }
        }
    }

    struct Unblock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lets a blocked person sign in again.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String

        func run() async throws {
            try await connection.run { tenant in
                try await tenant.client.call(
                    .post(APIPaths.unblockUser(tenant.tenant, try await tenant.personID(user))))
                tenant.output.done("Unblocked.")
            }
        }
    }

    struct UnlockCodes: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a person use offline codes again after too many wrong ones.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String

        func run() async throws {
            try await connection.run { tenant in
                try await tenant.client.call(
                    .post(APIPaths.unlockCodes(tenant.tenant, try await tenant.personID(user))))
                tenant.output.done("Unlocked.")
            }
        }
    }

    struct Devices: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a person's devices.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String

        func run() async throws {
            try await connection.run { tenant in
                let path = APIPaths.userDevices(tenant.tenant, try await tenant.personID(user))
                let devices = try await tenant.all(DeviceDocument.self, path)
                try tenant.output.list(
                    devices,
                    [
                        ("NAME", \.name), ("PLATFORM", { "\($0.platform.rawValue) \($0.osVersion)" }),
                        ("APP", \.appVersion),
                        ("STATE", \.state.rawValue),
                        ("PHONE SIGN-IN", { $0.phoneSignIn.createdDateTime?.description ?? "no" }),
                        ("LAST USED", { $0.lastUsedAt?.description ?? "never" }), ("ID", \.id),
                    ])
            }
        }
    }

    struct RemoveDevice: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove-device", abstract: "Removes a person's device.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String
        @Argument(help: "The device's id.") var device: String

        func run() async throws {
            try await connection.run { tenant in
                let person = try await tenant.personID(user)
                let device = DeviceID(GatewayClient.encoded(device))
                try await tenant.client.call(.delete(APIPaths.userDevice(tenant.tenant, person, device)))
                tenant.output.done("Removed.")
            }
        }
    }
}

struct PassCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pass", abstract: "Temporary Access Passes.", subcommands: [Issue.self, Withdraw.self])

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Issues a pass and shows it, once.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String
        @Option(help: ArgumentHelp("How long it is good.", valueName: "minutes")) var lifetime: Int?
        @Flag(help: "Lets it be used more than once.") var reusable = false

        func run() async throws {
            try await connection.run { tenant in
                let path = APIPaths.temporaryAccessPass(tenant.tenant, try await tenant.personID(user))
                let body = PassRequest(lifetimeMinutes: lifetime, usableOnce: reusable ? false : nil)
                let pass: PassReply = try await tenant.client.call(.post(path, body)).decode()
                try tenant.output.one(
                    pass,
                    [
                        ("temporaryAccessPass", pass.temporaryAccessPass), ("expiresAt", pass.expiresAt.description),
                        ("usableOnce", pass.usableOnce ? "yes" : "no"),
                    ])
            }
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Withdraws the pass that is out.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String

        func run() async throws {
            try await connection.run { tenant in
                try await tenant.client.call(
                    .delete(APIPaths.temporaryAccessPass(tenant.tenant, try await tenant.personID(user))))
                tenant.output.done("Withdrawn.")
            }
        }
    }
}
