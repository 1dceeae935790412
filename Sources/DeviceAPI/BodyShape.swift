/// Which members a request body may have, so that an unknown one can be refused by name.
package indirect enum BodyShape: Sendable {
    /// Anything goes: a leaf, or a part whose further members are ignored.
    case open
    case object([String: BodyShape])
    case array(BodyShape)

    /// The members of a coding-key list, with the shapes of those that are not leaves.
    package static func members<Key: CodingKey & CaseIterable>(of keys: Key.Type, _ nested: [String: BodyShape] = [:])
        -> BodyShape
    {
        .object(
            Dictionary(uniqueKeysWithValues: keys.allCases.map { ($0.stringValue, nested[$0.stringValue] ?? .open) }))
    }
}

/// A body that a caller sends.
package protocol APIRequest: Codable, Hashable, Sendable {
    static var shape: BodyShape { get }
}

/// A body that the gateway answers with.
package protocol APIReply: Codable, Hashable, Sendable {}
