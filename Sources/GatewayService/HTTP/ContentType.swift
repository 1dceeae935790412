/// Content types (RFC 9110 section 8.3).
enum ContentType {
    /// Type and subtype in lower case, without parameters.
    static func essence(_ header: String?) -> String? {
        guard let header, let first = header.split(separator: ";", omittingEmptySubsequences: false).first else {
            return nil
        }
        return first.trimmed.lowercased()
    }
}
