import ArgumentParser
import DeviceAPI
import Domain
import Foundation
import NIOHTTP1

struct UserCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "People and their devices.",
        subcommands: [
            List.self, Show.self, Create.self, Update.self, Delete.self, Import.self, Block.self, Unblock.self,
            Devices.self,
            RemoveDevice.self, UnlockCodes.self,
        ])

    /// A password from standard input or a file: never from the command line.
    struct PasswordOptions: ParsableArguments {
        @Option(help: ArgumentHelp("A file whose first line is the password; - is standard input.", valueName: "file"))
        var passwordFile: String?

        func password() throws -> String? {
            guard let passwordFile else { return nil }
            guard passwordFile == "-" else { return try SecretFile.token(passwordFile) }
            guard let line = readLine(), !line.isEmpty else {
                throw AdminFailure(.badData, "standard input holds no password")
            }
            return line
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists people.")
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "Only those whose name holds this.") var search: String?

        func run() async throws {
            try await connection.run { tenant in
                let users = try await tenant.all(UserDocument.self, APIPaths.users(tenant.tenant), [("search", search)])
                try tenant.output.list(
                    users,
                    [
                        ("USERNAME", \.username), ("NAME", \.displayName), ("STATE", { $0.blocked ? "blocked" : "" }),
                        ("ROLES", { $0.roles.joined(separator: ",") }), ("ID", \.id),
                    ])
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one person.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String

        func run() async throws {
            try await connection.run { try $0.output.user(try await $0.person(user)) }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a person.")
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var password: PasswordOptions
        @Argument(help: "The user name.") var username: String
        @Option(help: "The name to show.") var displayName: String?
        @Option(help: "A role; can be repeated: administrator.") var role: [String] = []
        @Option(help: "A group, by name or id; can be repeated.") var group: [String] = []

        func run() async throws {
            try await connection.run { tenant in
                var groups: [String] = []
                for name in group { groups.append(try await tenant.groupID(name).rawValue) }
                let body = UserCreation(
                    username: username, displayName: displayName, password: try password.password(),
                    roles: role.isEmpty ? nil : role,
                    groups: groups.isEmpty ? nil : groups)
                try tenant.output.user(
                    try await tenant.client.call(.post(APIPaths.users(tenant.tenant), body)).decode())
            }
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Changes a person; what is not named stays.")
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var password: PasswordOptions
        @Argument(help: "User name or id.") var user: String
        @Option(help: "The name to show.") var displayName: String?
        @Option(help: "The roles from now on; can be repeated.") var role: [String] = []
        @Flag(help: "No role any more.") var noRoles = false
        @Flag(help: "No password any more.") var noPassword = false

        func validate() throws {
            if noRoles, !role.isEmpty { throw ValidationError("Give --role or --no-roles, not both.") }
            if noPassword, password.passwordFile != nil {
                throw ValidationError("Give --password-file or --no-password, not both.")
            }
        }

        func run() async throws {
            try await connection.run { tenant in
                let body = UserPatch(
                    displayName: displayName, password: noPassword ? "" : try password.password(),
                    roles: noRoles ? [] : role.isEmpty ? nil : role)
                let path = APIPaths.user(tenant.tenant, try await tenant.personID(user))
                try tenant.output.user(try await tenant.client.call(.patch(path, body)).decode())
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a person with all devices.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name or id.") var user: String

        func run() async throws {
            try await connection.run { tenant in
                try await tenant.client.call(.delete(APIPaths.user(tenant.tenant, try await tenant.personID(user))))
                tenant.output.done("Removed.")
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes and changes people from a file.",
            discussion: """
                CSV with a header line, or NDJSON with one object a line: username, displayName, password, groups. Lines that are not taken
                are listed by number, the others are; then the exit code is 1.
                """)
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "A .csv or .ndjson file.") var file: String

        func run() async throws {
            try await connection.run { tenant in
                let data = try InputFile.read(file)
                guard data.count <= APILimits.importBytesMax else {
                    throw AdminFailure(.badData, "\(file) is larger than 64 MiB")
                }
                let isCSV = file.lowercased().hasSuffix(".csv")
                let report: ImportReport = try await tenant.client.call(
                    GatewayCall(
                        method: .POST, path: APIPaths.usersImport(tenant.tenant), body: data,
                        contentType: isCSV ? APIMedia.csv : APIMedia.ndjson)
                ).decode()
                try tenant.output.one(
                    report,
                    [
                        ("created", "\(report.created)"), ("updated", "\(report.updated)"),
                        ("unchanged", "\(report.unchanged)"),
                    ])
                if !tenant.output.isJSON {
                    for problem in report.problems {
                        Output.complain("line \(problem.line): \(problem.detail.plain) (\(problem.code))")
                    }
                }
                if !report.problems.isEmpty { throw ExitCode(1) }
            }
        }
    }
}

extension Output {
    func user(_ user: UserDocument) throws {
        try one(
            user,
            [
                ("id", user.id), ("username", user.username), ("displayName", user.displayName),
                ("blocked", user.blocked ? "yes" : "no"),
                ("roles", user.roles.joined(separator: ", ")), ("groups", user.groups.joined(separator: ", ")),
                ("createdAt", user.createdAt.description),
            ])
    }
}
