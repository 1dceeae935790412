extension Unicode.Scalar {
    /// Whether it shows what it is: no control character, which could move a terminal's cursor or forge a line, and nothing that is not
    /// seen or turns the direction of writing, which could make one name look like another (Unicode TR 36).
    package var isPlain: Bool {
        switch properties.generalCategory {
        // Format characters (Unicode's Cf) hold the marks, embeddings, overrides and isolates of bidirectional text.
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}

extension String {
    /// The text as one line that shows what it says: its plain characters.
    package var plain: String { String(String.UnicodeScalarView(unicodeScalars.filter(\.isPlain))) }
}
