/// Why a configuration document is refused. A member is named by its full path, e.g. `includeTargets[1].authenticationMode`.
package enum DocumentFault: Error, Hashable, Sendable {
    case malformed(detail: String)
    case unknownMember(String)
    /// The value is of the wrong kind, or not one of those allowed; `allowed` says what is.
    case invalidValue(member: String, allowed: String)
    case outOfRange(member: String, range: ClosedRange<Int>)
    /// The member names a target that an earlier one named already.
    case duplicate(member: String)
}

extension String {
    /// The name or path of a member that somebody sent, as a sentence may repeat it: short, and plain.
    package var asMemberName: String {
        String(String.UnicodeScalarView(plain.unicodeScalars.prefix(100)))
    }
}

/// Reads members of one object of a document, naming what is wrong by its full path. An absent member and null are the same.
struct DocumentReader {
    let path: String
    private let members: [String: JSONValue]

    init(_ value: JSONValue, at path: String = "") throws(DocumentFault) {
        guard let members = value.members else {
            throw .invalidValue(member: path.isEmpty ? "document" : path, allowed: "an object")
        }
        self.members = members
        self.path = path
    }

    func path(to name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func value(_ name: String) -> JSONValue? {
        let value = members[name]
        return value == .null ? nil : value
    }

    func fault(_ name: String, allowed: String) -> DocumentFault {
        .invalidValue(member: path(to: name), allowed: allowed)
    }

    func flag(_ name: String, or absent: Bool? = nil) throws(DocumentFault) -> Bool {
        guard let flag = value(name).map(\.flag) ?? absent else { throw fault(name, allowed: "true, false") }
        return flag
    }

    func word<Word: RawRepresentable & CaseIterable>(_ name: String, or absent: Word? = nil) throws(DocumentFault)
        -> Word
    where Word.RawValue == String {
        guard let value = value(name) else {
            if let absent { return absent }
            throw fault(name, allowed: Self.allowed(Word.self))
        }
        guard let word = value.text.flatMap(Word.init(rawValue:)) else {
            throw fault(name, allowed: Self.allowed(Word.self))
        }
        return word
    }

    func list(_ name: String, countMax: Int) throws(DocumentFault) -> [DocumentReader] {
        guard let elements = value(name)?.elements, elements.count <= countMax else {
            throw fault(name, allowed: "a list of at most \(countMax) objects")
        }
        var readers: [DocumentReader] = []
        for (index, element) in elements.enumerated() {
            readers.append(try DocumentReader(element, at: "\(path(to: name))[\(index)]"))
        }
        return readers
    }

    /// The object `name`, or nil when there is none.
    func object(_ name: String) throws(DocumentFault) -> DocumentReader? {
        guard let value = value(name) else { return nil }
        return try DocumentReader(value, at: path(to: name))
    }

    private static func allowed<Word: RawRepresentable & CaseIterable>(_: Word.Type) -> String
    where Word.RawValue == String {
        Word.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
