import Foundation
import Proofs
import Testing

/// One case of `Tests/Vectors`.
struct Vector: CustomTestStringConvertible, Sendable {
    let name: String
    private let fields: [String: String]

    var testDescription: String { name }

    subscript(field: String) -> String? { fields[field] }

    func text(_ field: String) throws -> String { try #require(fields[field], "\(name) has no \(field)") }
    func number(_ field: String) throws -> Int64 {
        try #require(Int64(try text(field)), "\(name): \(field) is no number")
    }
    func bytes(_ field: String) throws -> [UInt8] {
        try #require(Base64URL.decode(try text(field)), "\(name): \(field) is not base64url")
    }

    func hex(_ field: String) throws -> [UInt8] {
        var digits = Substring(try text(field))
        var bytes: [UInt8] = []
        while !digits.isEmpty {
            bytes.append(try #require(UInt8(digits.prefix(2), radix: 16)))
            digits = digits.dropFirst(2)
        }
        return bytes
    }

    /// All cases of a folder; an empty folder is a failure of the test that asks.
    static func all(_ folder: String, file: String = #filePath) -> [Vector] {
        let root = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent("Vectors/\(folder)")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path.path)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted().compactMap { name in
            (try? String(contentsOf: path.appendingPathComponent(name), encoding: .utf8)).map {
                Vector(name: "\(folder)/\(name)", text: $0)
            }
        }
    }

    private init(name: String, text: String) {
        self.name = name
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        // A JWS may begin with a space on purpose; only the one after the colon is ours.
        if let line = text.split(separator: "\n").first(where: { $0.hasPrefix("jws: ") }) {
            fields["jws"] = String(line.dropFirst(5))
        }
        self.fields = fields
    }

    /// Runs `body` and compares how it ended with what is expected.
    func check(_ body: () throws -> Void) throws {
        let expected = try text("expect")
        do {
            try body()
            #expect(expected == "success", "\(name) was accepted")
        } catch let error as ProofError {
            #expect(expected == error.rawValue, "\(name)")
        }
    }
}
