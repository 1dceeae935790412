/// Text from outside that a person will read on a phone or in a log.
enum ShownText {
    /// Control and bidirectional characters could make a name read as another one on the phone.
    static func isShowable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x200E, 0x200F, 0x061C, 0x202A...0x202E, 0x2066...0x2069: false
        default: scalar.properties.generalCategory != .control
        }
    }

    /// The text without characters that are not seen but change how others look, and no longer than `bytesMax` of UTF-8: whole
    /// characters only.
    static func cut(_ text: String, to bytesMax: Int) -> String {
        var result = ""
        var bytes = 0
        for character in text {
            let seen = String.UnicodeScalarView(character.unicodeScalars.filter { isSeen($0) })
            bytes += String(seen).utf8.count
            guard bytes <= bytesMax else { break }
            result.unicodeScalars.append(contentsOf: seen)
        }
        return result
    }

    private static func isSeen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
