import ArgumentParser
import DeviceAPI
import Domain

struct SettingsCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "The tenant's limits and lifetimes.", subcommands: [Show.self, Set.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows all settings.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            try await connection.run {
                try $0.output.document(try await $0.client.call(.get(APIPaths.settings($0.tenant))).decode())
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes settings and shows the result.",
            discussion:
                "A value is read as JSON; what is no JSON is a text: numberDigits=3 offlineCodeAlone=true profile=standard"
        )
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Assignments, as key=value.") var assignments: [String]

        func run() async throws {
            try await connection.run { tenant in
                let patch = try SettingsPatch.parse(assignments)
                try tenant.output.document(try await tenant.change(APIPaths.settings(tenant.tenant)) { _ in patch })
            }
        }
    }
}

/// `key=value` arguments as a merge patch.
enum SettingsPatch {
    static func parse(_ assignments: [String]) throws -> JSONValue {
        var members: [String: JSONValue] = [:]
        for assignment in assignments {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw AdminFailure(.badData, "\(assignment.plain) is not key=value")
            }
            let value = try? JSONValue(parsing: parts[1])
            guard members.updateValue(value ?? .string(parts[1]), forKey: parts[0]) == nil else {
                throw AdminFailure(.badData, "\(parts[0].plain) is given twice")
            }
        }
        return .object(members)
    }
}
