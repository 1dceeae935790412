package import Domain

/// A body that a caller sends.
package protocol APIRequest: Codable, Hashable, Sendable {
    /// Which members it may have. A part that is a `value` may have any.
    static var shape: DocumentShape { get }
}

/// A body that the gateway answers with.
package protocol APIReply: Codable, Hashable, Sendable {}

extension DocumentShape {
    /// The members of a coding-key list, with the shapes of those that are not leaves.
    package static func members<Key: CodingKey & CaseIterable>(
        of keys: Key.Type, _ nested: [String: DocumentShape] = [:]
    ) -> DocumentShape {
        .members(
            Dictionary(uniqueKeysWithValues: keys.allCases.map { ($0.stringValue, nested[$0.stringValue] ?? .value) }))
    }
}
