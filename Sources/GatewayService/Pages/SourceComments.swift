/// The comments of a script or a style sheet, which are for who reads the source and a fifth of what would travel.
enum SourceComments {
    /// Empty lines in the place of comments that stand in lines of their own, so that the lines which a browser names in its console are
    /// those of the file. A text over several lines that looks like a comment would go, too: no script has one.
    static func blanked(_ source: String) -> String {
        var isInside = false
        return source.split(separator: "\n", omittingEmptySubsequences: false).map { line -> Substring in
            var rest = line.drop { $0 == " " || $0 == "\t" }
            if !isInside {
                if rest.hasPrefix("//") { return "" }
                guard rest.hasPrefix("/*") else { return line }
                rest = rest.dropFirst(2)
            }
            guard let end = rest.firstRange(of: "*/") else {
                isInside = true
                return ""
            }
            isInside = false
            return rest[end.upperBound...]
        }.joined(separator: "\n")
    }
}
