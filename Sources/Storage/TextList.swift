import Domain

/// A list of texts in one column, or in one argument of a statement whose text does not depend on the list's length: a JSON array.
package enum TextList {
    package static func json(_ texts: some Sequence<String>) -> String {
        JSONValue.array(texts.map(JSONValue.string)).canonicalText
    }

    /// Throws `corrupt` for anything but what `json` returns.
    package static func texts(_ json: String) throws(StorageError) -> [String] {
        guard let elements = (try? JSONValue(parsing: json))?.elements else { throw .corrupt }
        let texts = elements.compactMap(\.text)
        guard texts.count == elements.count else { throw .corrupt }
        return texts
    }
}
