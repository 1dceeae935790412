/// A process's arguments: `--key=value` or `--key value` for every key of the configuration, and a few options of their own.
struct CommandLineText: Equatable {
    enum Action: Equatable { case run, checkConfiguration, checkHealth, printConfiguration, help, version }

    private(set) var action = Action.run
    private(set) var configurationFile: String?
    private(set) var values: [String: String] = [:]

    init(_ arguments: [String], keys: [SettingKey]) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            do throws(ConfigurationProblem) {
                try take(argument, &rest, keys)
            } catch {
                problems.append(error)
            }
        }
        if !problems.isEmpty { throw ConfigurationProblems(problems) }
    }

    private mutating func take(_ argument: String, _ rest: inout ArraySlice<String>, _ keys: [SettingKey])
        throws(ConfigurationProblem)
    {
        switch argument {
        case "--help", "-h": action = .help
        case "--version": action = .version
        case "--check-config": action = .checkConfiguration
        case "--check-health": action = .checkHealth
        case "--print-config": action = .printConfiguration
        default: try takeValue(argument, &rest, keys)
        }
    }

    private mutating func takeValue(
        _ argument: String, _ rest: inout ArraySlice<String>, _ keys: [SettingKey]
    ) throws(ConfigurationProblem) {
        guard argument.hasPrefix("--") else { throw .unknownOption(argument) }
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        let key = keys.first { $0.name == name }
        guard name == "config" || key != nil else {
            throw .unknownKey(name, source: "command line", known: keys.map(\.name))
        }
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
            throw .missingValue(option: argument)
        }
        if name == "config" {
            configurationFile = value
        } else if key?.form == .list, let earlier = values[name] {
            values[name] = earlier + "," + value
        } else {
            values[name] = value
        }
    }
}
