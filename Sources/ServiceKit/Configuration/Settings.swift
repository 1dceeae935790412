import Configuration

/// The configuration of a running process: every declared key with its checked value and where that came from.
package struct Settings: Sendable {
    struct Entry: Sendable, Equatable {
        let text: String
        let source: String
    }

    static let defaultSource = "default"

    let keys: [SettingKey]
    private let entries: [String: Entry]

    package subscript<Value>(_ setting: Setting<Value>) -> Value {
        guard let entry = entries[setting.key.name] else {
            preconditionFailure("\(setting.key.name) is not among this process's keys")
        }
        guard let value = setting.parse(entry.text) else {
            preconditionFailure("\(setting.key.name) was not checked at start")
        }
        return value
    }

    func entry(_ key: SettingKey) -> Entry {
        entries[key.name] ?? Entry(text: key.fallback, source: Self.defaultSource)
    }

    /// Reads every key: the command line before the environment, that before the file, that before the default.
    init(
        _ keys: [SettingKey], service: String, commandLine: [String: String], environment: [String: String],
        file: [String: String],
        filePath: String = ""
    ) throws(ConfigurationProblems) {
        precondition(Set(keys.map(\.name)).count == keys.count, "a key is declared twice")
        let names = EnvironmentNames(service: service)
        let readers: [(source: String, reader: ConfigReader)] = [
            (
                "command line",
                ConfigReader(provider: InMemoryProvider(name: "command line", values: Self.values(commandLine)))
            ),
            ("environment", names.reader(environment)),
            ("configuration file", ConfigReader(provider: InMemoryProvider(name: "file", values: Self.values(file)))),
        ]
        var problems: [ConfigurationProblem] = names.unknown(in: environment, keys: keys)
        let known = keys.map(\.name)
        for name in file.keys.sorted() where !known.contains(name) {
            problems.append(.unknownKey(name, source: filePath, known: known))
        }
        var entries: [String: Entry] = [:]
        for key in keys {
            let entry = Self.entry(key, readers)
            entries[key.name] = entry
            if !key.isAccepted(entry.text) {
                problems.append(
                    .notAccepted(key: key.name, value: entry.text, accepts: key.accepts, source: entry.source))
            }
        }
        if !problems.isEmpty { throw ConfigurationProblems(problems) }
        self.keys = keys
        self.entries = entries
    }

    private static func entry(_ key: SettingKey, _ readers: [(source: String, reader: ConfigReader)]) -> Entry {
        for (source, reader) in readers {
            if let text = reader.string(forKey: ConfigKey(key.name)) { return Entry(text: text, source: source) }
        }
        return Entry(text: key.fallback, source: defaultSource)
    }

    private static func values(_ texts: [String: String]) -> [AbsoluteConfigKey: ConfigValue] {
        Dictionary(
            uniqueKeysWithValues: texts.map {
                (AbsoluteConfigKey(ConfigKey($0)), ConfigValue(.string($1), isSecret: false))
            })
    }
}

/// How keys are called in the environment: `store.path` of policy is `COUNTERSIGN_POLICY_STORE_PATH`.
struct EnvironmentNames {
    private let service: String

    init(service: String) { self.service = service }

    private var prefix: String { "COUNTERSIGN_\(service.uppercased())_" }

    func name(of key: String) -> String {
        var words = ""
        var previous: Character = "."
        for character in key {
            if character == "." {
                words += "_"
            } else {
                if character.isUppercase, previous.isLowercase { words += "_" }
                words += character.uppercased()
            }
            previous = character
        }
        return prefix + words
    }

    func reader(_ environment: [String: String]) -> ConfigReader {
        let provider = EnvironmentVariablesProvider(environmentVariables: environment)
        return ConfigReader(provider: provider.prefixKeys(with: ["countersign", service]))
    }

    /// A variable of this service that no key reads is a mistake that must not pass in silence.
    func unknown(in environment: [String: String], keys: [SettingKey]) -> [ConfigurationProblem] {
        let known = Set(keys.map { name(of: $0.name) })
        return environment.keys.sorted().filter { $0.hasPrefix(prefix) && !known.contains($0) }.map {
            .unknownKey($0, source: "environment", known: [])
        }
    }
}
