import ArgumentParser
import DeviceAPI
import Domain
import Foundation

struct PolicyCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Who may use the authenticator, and how.",
        subcommands: [Show.self, Patch.self, Enable.self, Disable.self, Explain.self, Mode.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows the policy.")
        @OptionGroup var connection: ConnectionOptions

        func run() async throws {
            try await connection.run {
                try $0.output.document(try await $0.client.call(.get(APIPaths.policy($0.tenant))).decode())
            }
        }
    }

    struct Patch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Applies a JSON merge patch (RFC 7396) and shows the result.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "A JSON file; - is standard input.") var file: String

        func run() async throws {
            try await connection.run { tenant in
                let data = file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try InputFile.read(file)
                let patch: JSONValue
                do throws(JSONFault) { patch = try JSONValue(parsing: Array(data)) } catch {
                    throw AdminFailure(.badData, error.detail(of: file))
                }
                try tenant.output.document(try await tenant.change(APIPaths.policy(tenant.tenant)) { _ in patch })
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Turns the method on.")
        @OptionGroup var connection: ConnectionOptions
        func run() async throws { try await connection.run { try await $0.setState("enabled") } }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Turns the method off for everybody.")
        @OptionGroup var connection: ConnectionOptions
        func run() async throws { try await connection.run { try await $0.setState("disabled") } }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what the policy gives a person, and which rule decided.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "User name.") var user: String

        func run() async throws {
            try await connection.run { tenant in
                let found: Explanation = try await tenant.client.call(
                    .get(APIPaths.policyExplanation(tenant.tenant), [("user", user)])
                ).decode()
                let rules = found.rules.map { ("rule \($0.rule)", $0.result) }
                try tenant.output.one(
                    found,
                    [
                        ("user", found.user), ("mode", found.mode ?? "none"),
                        ("decided by", found.decidingTarget.map { "\($0.targetType) \($0.id)" } ?? "nothing"),
                    ] + rules + [
                        ("shows application", found.features.displayAppInformation ? "yes" : "no"),
                        ("shows location", found.features.displayLocationInformation ? "yes" : "no"),
                        ("offline codes", found.features.offlineCodes ? "yes" : "no"),
                    ])
            }
        }
    }

    struct Mode: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets how a target uses the authenticator.",
            discussion: """
                TARGET: all_users, group:NAME or user:NAME. MODE: any, push (second factor only), deviceBasedPush (passwordless only),
                excluded, or unset (no rule of its own any more). Exclude beats include; a user beats a group, a group beats all_users.
                """)
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "all_users, group:NAME or user:NAME.") var target: String
        @Argument(help: "any, push, deviceBasedPush, excluded or unset.") var mode: TargetMode

        func run() async throws {
            try await connection.run { tenant in
                let target = try await tenant.policyTarget(target)
                let document = try await tenant.change(APIPaths.policy(tenant.tenant)) {
                    try PolicyEdit(document: $0).setting(mode, of: target)
                }
                try tenant.output.document(document)
            }
        }
    }
}

enum TargetMode: String, ExpressibleByArgument, CaseIterable {
    case any, push, deviceBasedPush, excluded, unset
}

/// Edits the lists of targets; the rest of the policy stays as it is.
struct PolicyEdit {
    let document: JSONValue

    /// The merge patch that gives the target this mode. A new target is put first among its kind: between two groups the first decides.
    func setting(_ mode: TargetMode, of target: AuthenticatorPolicy.Target) throws -> JSONValue {
        var include = try targets("includeTargets")
        var exclude = try targets("excludeTargets").filter { !Self.names($0, target) }
        let place = include.firstIndex { Self.names($0, target) }
        let reference: [String: JSONValue] = [
            "targetType": .string(target.targetType.rawValue), "id": .string(target.id),
        ]
        switch mode {
        case .unset, .excluded:
            include.removeAll { Self.names($0, target) }
            if mode == .excluded { exclude.append(.object(reference)) }
        case .any, .push, .deviceBasedPush:
            let entry = reference.merging([
                "isRegistrationRequired": .bool(false), "authenticationMode": .string(mode.rawValue),
            ]) { $1 }
            if let place { include[place] = .object(entry) } else { include.insert(.object(entry), at: 0) }
        }
        return .object(["includeTargets": .array(include), "excludeTargets": .array(exclude)])
    }

    private func targets(_ name: String) throws -> [JSONValue] {
        guard case .object(let members) = document, case .array(let targets)? = members[name] else {
            throw AdminFailure(.unexpectedReply, "the policy has no \(name)")
        }
        return targets
    }

    private static func names(_ value: JSONValue, _ target: AuthenticatorPolicy.Target) -> Bool {
        guard case .object(let members) = value else { return false }
        return members["id"] == .string(target.id) && members["targetType"] == .string(target.targetType.rawValue)
    }
}

extension TenantAdministration {
    fileprivate func setState(_ state: String) async throws {
        try output.document(try await change(APIPaths.policy(tenant)) { _ in .object(["state": .string(state)]) })
    }

    fileprivate func policyTarget(_ text: String) async throws -> AuthenticatorPolicy.Target {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count) {
        case ("all_users", 1): return .allUsers
        case ("group", 2): return .init(targetType: .group, id: try await groupID(parts[1]).rawValue)
        case ("user", 2): return .init(targetType: .user, id: try await personID(parts[1]).rawValue)
        default: throw AdminFailure(.badData, "a target is all_users, group:NAME or user:NAME")
        }
    }
}
