import ArgumentParser
import DeviceAPI
import Domain

struct GroupCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "Groups, and who is in them.",
        subcommands: [List.self, Create.self, Rename.self, Delete.self, Members.self, Add.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists groups.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            try await connection.run { tenant in
                try tenant.output.list(
                    try await tenant.all(GroupDocument.self, APIPaths.groups(tenant.tenant)),
                    [("NAME", \.name), ("MEMBERS", { "\($0.memberCount)" }), ("ID", \.id)])
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a group.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Its name.") var name: String

        func run() async throws {
            try await connection.run { tenant in
                let call = try GatewayCall.post(APIPaths.groups(tenant.tenant), GroupRequest(name: name))
                try tenant.output.group(try await tenant.client.call(call).decode())
            }
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Gives a group another name.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Name or id.") var group: String
        @Argument(help: "The new name.") var name: String

        func run() async throws {
            try await connection.run { tenant in
                let path = APIPaths.group(tenant.tenant, try await tenant.groupID(group))
                try tenant.output.group(try await tenant.client.call(.patch(path, GroupRequest(name: name))).decode())
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes a group; its members stay.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Name or id.") var group: String

        func run() async throws {
            try await connection.run { tenant in
                try await tenant.client.call(.delete(APIPaths.group(tenant.tenant, try await tenant.groupID(group))))
                tenant.output.done("Removed.")
            }
        }
    }

    struct Members: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a group's members.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Name or id.") var group: String

        func run() async throws {
            try await connection.run { tenant in
                let path = APIPaths.groupMembers(tenant.tenant, try await tenant.groupID(group))
                try tenant.output.list(
                    try await tenant.all(UserDocument.self, path),
                    [("USERNAME", \.username), ("NAME", \.displayName), ("ID", \.id)])
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Puts people into a group.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Name or id.") var group: String
        @Argument(help: "User names or ids.") var users: [String]

        func run() async throws {
            try await connection.run { try await $0.changeMembers(of: group, add: users, remove: []) }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes people out of a group.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Name or id.") var group: String
        @Argument(help: "User names or ids.") var users: [String]

        func run() async throws {
            try await connection.run { try await $0.changeMembers(of: group, add: [], remove: users) }
        }
    }
}

extension TenantAdministration {
    fileprivate func changeMembers(of group: String, add: [String], remove: [String]) async throws {
        let path = APIPaths.groupMembers(tenant, try await groupID(group))
        var added: [String] = []
        for name in add { added.append(try await personID(name).rawValue) }
        var removed: [String] = []
        for name in remove { removed.append(try await personID(name).rawValue) }
        try await client.call(
            .patch(path, MembersPatch(add: added.isEmpty ? nil : added, remove: removed.isEmpty ? nil : removed)))
        output.done("Changed.")
    }
}

extension Output {
    fileprivate func group(_ group: GroupDocument) throws {
        try one(group, [("id", group.id), ("name", group.name), ("memberCount", "\(group.memberCount)")])
    }
}
