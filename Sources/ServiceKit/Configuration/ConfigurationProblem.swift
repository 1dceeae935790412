package import Secrets

/// What is wrong with a process's configuration, for the operator who starts it. Exit status 78 (EX_CONFIG of sysexits.h).
package enum ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownKey(String, source: String, known: [String])
    case unknownOption(String)
    case missingValue(option: String)
    case notAccepted(key: String, value: String, accepts: String, source: String)
    case file(path: String, detail: String)
    /// What only the service can judge, e.g. two keys that do not go together.
    case refused(String)

    package var description: String {
        switch self {
        case .unknownKey(let key, let source, let known):
            "\(source): there is no key \(key)" + (Self.nearest(key, known).map { "; did you mean \($0)?" } ?? "")
        case .unknownOption(let option): "unknown argument \(option): see --help"
        case .missingValue(let option): "\(option) needs a value"
        case .notAccepted(let key, let value, let accepts, let source):
            "\(source): \(key) is \"\(value)\", but must be \(accepts)"
        case .file(let path, let detail): "\(path): \(detail)"
        case .refused(let sentence): sentence
        }
    }

    /// A secret that a key names, and that cannot be had.
    package init(_ fault: PrivateFile.Fault) { self = .file(path: fault.path, detail: fault.detail) }

    /// A known key of the same last word, or of the same letters in another case.
    private static func nearest(_ key: String, _ known: [String]) -> String? {
        let last = key.split(separator: ".").last
        return known.first { $0.lowercased() == key.lowercased() }
            ?? known.first { $0.split(separator: ".").last == last }
    }
}

/// All problems that were found at once, so that nobody mends one to meet the next.
package struct ConfigurationProblems: Error, Sendable, CustomStringConvertible {
    package let all: [ConfigurationProblem]

    package init(_ all: [ConfigurationProblem]) { self.all = all }

    package var description: String { all.map(\.description).joined(separator: "\n") }
}
