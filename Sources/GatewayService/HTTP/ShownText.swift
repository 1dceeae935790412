/// Text from outside that a person will read on a phone or in a log.
enum ShownText {
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
