/// What may be a user name: 1 to 256 characters, none of them a control character.
package enum Username {
    package static let charactersMax = 256
    /// In words, for whoever gave another one.
    package static let rule = "a user name has 1 to \(charactersMax) characters, no control character"

    package static func isValid(_ text: String) -> Bool {
        (1...charactersMax).contains(text.unicodeScalars.count)
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
