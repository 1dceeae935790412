import Domain

/// Configuration as people read it: `--print-config` and `--help`.
enum SettingsText {
    /// Every key with its value as YAML, which `--config` takes again; comments say what it is, what it accepts and its source.
    static func yaml(_ settings: Settings, program: String) -> String {
        var lines = ["# \(program): every key with its value, and where the value comes from.", ""]
        var open: [Substring] = []
        for key in settings.keys {
            let path = key.name.split(separator: ".")
            let shared = zip(open, path.dropLast()).prefix { $0 == $1 }.count
            if shared == 0, !open.isEmpty { lines.append("") }
            for (depth, word) in path.dropLast().enumerated().dropFirst(shared) {
                lines.append(indent(depth) + "\(word):")
            }
            open = Array(path.dropLast())
            let entry = settings.entry(key)
            lines.append(indent(open.count) + "# \(key.help) Must be \(key.accepts).")
            lines.append(
                indent(open.count) + "\(path[path.count - 1]): \(scalar(entry.text, key.form))  # \(entry.source)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func help(_ keys: [SettingKey], program: String, service: String) -> String {
        let names = EnvironmentNames(service: service)
        var lines = [
            "Usage: \(program) [--config FILE] [--KEY=VALUE ...]",
            "",
            "  --config FILE    read keys from a YAML file",
            "  --check-config   say whether the configuration is right (status 0 or 78) and end",
            "  --check-health   ask the process that runs with this configuration for /readyz (status 0 or 69) and end",
            "  --print-config   print every key, its value and source as YAML and end",
            "  --version        print the version and end",
            "",
            "Keys, in the order in which sources win: command line, environment, file, default.",
        ]
        for key in keys {
            lines.append("")
            lines.append("  --\(key.name)=\(scalar(key.fallback, key.form))")
            lines.append("      \(key.help) Must be \(key.accepts). \(names.name(of: key.name))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

    private static func scalar(_ text: String, _ form: SettingKey.Form) -> String {
        switch form {
        case .plain: text
        // A JSON string is a scalar of YAML too (YAML 1.2 section 1.3).
        case .text: JSONValue.quoted(text)
        case .list: "[" + SettingKey.elements(text).map(JSONValue.quoted).joined(separator: ", ") + "]"
        }
    }
}
