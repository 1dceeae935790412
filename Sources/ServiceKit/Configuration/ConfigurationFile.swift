import Foundation
import Yams

/// A YAML file as the text of its keys: nested mappings joined by dots, sequences by commas. Scalars stay as they are written, so
/// that the declaration of a key decides what they mean and YAML's guesses do not.
enum ConfigurationFile {
    static func read(_ path: String) throws(ConfigurationProblem) -> [String: String] {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw .file(path: path, detail: "cannot be read as text")
        }
        return try parse(text, path: path)
    }

    static func parse(_ text: String, path: String) throws(ConfigurationProblem) -> [String: String] {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw .file(path: path, detail: "is not YAML: \(error)")
        }
        var values: [String: String] = [:]
        // A file of comments alone says nothing, and that is fine.
        guard let node else { return values }
        if case .scalar(let scalar) = node, scalar.string.isEmpty { return values }
        guard case .mapping(let mapping) = node else { throw .file(path: path, detail: "does not begin with keys") }
        try flatten(mapping, prefix: "", path: path, into: &values)
        return values
    }

    private static func flatten(
        _ mapping: Node.Mapping, prefix: String, path: String, into values: inout [String: String]
    ) throws(ConfigurationProblem) {
        for (key, value) in mapping {
            guard case .scalar(let name) = key else { throw .file(path: path, detail: "a key is not a word") }
            let full = prefix + name.string
            switch value {
            case .mapping(let inner): try flatten(inner, prefix: full + ".", path: path, into: &values)
            case .scalar(let scalar): values[full] = scalar.string
            case .sequence(let sequence): values[full] = try join(sequence, key: full, path: path)
            case .alias: throw .file(path: path, detail: "\(full) uses an alias, which this file may not")
            }
        }
    }

    private static func join(_ sequence: Node.Sequence, key: String, path: String) throws(ConfigurationProblem)
        -> String
    {
        var elements: [String] = []
        for element in sequence {
            guard case .scalar(let scalar) = element else {
                throw .file(path: path, detail: "\(key) is a list of more than words")
            }
            elements.append(scalar.string)
        }
        return elements.joined(separator: ",")
    }
}
