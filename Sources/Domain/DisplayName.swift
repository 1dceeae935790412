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
            && text.contains { !$0.isWhitespace } && isSeen(text.unicodeScalars)
    }

    /// Whether each scalar shows. A joiner (U+200C, U+200D) does so between two others, where it forms what stands before it.
    private static func isSeen(_ scalars: String.UnicodeScalarView) -> Bool {
        var before: Unicode.Scalar?
        for scalar in scalars {
            guard scalar.isPlain || scalar.isJoiner && before?.isFormedByJoiners == true else { return false }
            before = scalar
        }
        return before?.isJoiner != true
    }
}

extension Unicode.Scalar {
    fileprivate var isJoiner: Bool { value == 0x200C || value == 0x200D }

    /// A virama, a letter of the scripts that join (RFC 5892 appendices A.1 and A.2), or a part of an emoji (Unicode TS 51, section 2.7).
    fileprivate var isFormedByJoiners: Bool {
        let properties = properties
        return switch value {
        case ..<0x80: false
        case 0x0620...0x08FF: properties.isAlphabetic
        case 0xFE0F: true
        default: properties.canonicalCombiningClass == .virama || properties.isEmoji
        }
    }
}
