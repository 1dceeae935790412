/// Which members a document or a request body may have, so that another one is refused by its name.
package indirect enum DocumentShape: Sendable {
    /// A value that is checked elsewhere.
    case value
    case list(of: DocumentShape)
    case members([String: DocumentShape])

    /// Refuses the first member, in the order of names, that the document may not have. Also right for a merge patch, where null
    /// would otherwise hide a misspelt name.
    package func check(_ document: JSONValue, at path: String = "") throws(DocumentFault) {
        switch (self, document) {
        case (.members(let known), .object(let members)):
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                let path = path.isEmpty ? name : "\(path).\(name)"
                guard let shape = known[name] else { throw .unknownMember(path) }
                try shape.check(member, at: path)
            }
        case (.list(let shape), .array(let elements)):
            for (index, element) in elements.enumerated() { try shape.check(element, at: "\(path)[\(index)]") }
        default:
            break
        }
    }
}
