/// A name that people read on a page and on a phone: of an application, an administrator's token, a tenant.
package enum DisplayName {
    package static let charactersMax = 64
    package static let scalarsMax = 256
    /// Enough for the longest syllables of Indic scripts, and too few to pile marks over the lines around a name.
    private static let scalarsPerCharacterMax = 8

    /// 1 to 64 characters as a reader counts them, none of which is a control, a line break, invisible, or turns the direction of the
    /// text around it: a name that looks like another one would be shown on the phone as what the person approves.
    package static func isValid(_ text: String) -> Bool {
        (1...charactersMax).contains(text.count) && text.unicodeScalars.count <= scalarsMax
            && text.allSatisfy { $0.unicodeScalars.count <= scalarsPerCharacterMax }
            && text.contains { !$0.isWhitespace } && text.unicodeScalars.allSatisfy(\.isPlain)
    }
}
