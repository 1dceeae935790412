extension String {
    /// The text as one line that shows what it says: without control characters, which could move a terminal's cursor or forge a
    /// line, and without those that turn the direction of writing, which could make one name look like another (Unicode TR 36).
    var printable: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.filter { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                        false
                    default: true
                    }
                }))
    }
}
