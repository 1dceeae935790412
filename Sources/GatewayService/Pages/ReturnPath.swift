/// Where a sign-in leads back to: a path of this very origin, so that nobody is sent anywhere else.
enum ReturnPath {
    static let bytesMax = 4096

    /// Nil for anything that a browser could read as another origin: `//host`, `/\host`, a scheme, control characters.
    static func checked(_ text: String?) -> String? {
        guard let text, text.utf8.count <= bytesMax, text.hasPrefix("/"), !text.hasPrefix("//"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C })
        else { return nil }
        return text
    }
}
