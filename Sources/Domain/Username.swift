/// What may be a user name: 1 to 256 characters, none of them a control character.
package enum Username {
    package static let charactersMax = 256

    package static func isValid(_ text: String) -> Bool {
        (1...charactersMax).contains(text.unicodeScalars.count)
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}
