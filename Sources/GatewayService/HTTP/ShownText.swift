import Domain

/// Text from outside that a person will read on a phone or in a log.
enum ShownText {
    /// The plain characters of the text, and no longer than `bytesMax` of UTF-8: whole
    /// characters only.
    static func cut(_ text: String, to bytesMax: Int) -> String {
        var result = ""
        var bytes = 0
        for character in text {
            let seen = String.UnicodeScalarView(character.unicodeScalars.filter(\.isPlain))
            bytes += String(seen).utf8.count
            guard bytes <= bytesMax else { break }
            result.unicodeScalars.append(contentsOf: seen)
        }
        return result
    }
}
