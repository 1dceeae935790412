import Proofs
import Secrets
import Wire

/// Strong entity tags (RFC 9110 section 8.8.3): the same content has the same tag at every instance.
package enum EntityTag {
    private static let digestBytes = 16

    package static func of(_ content: [UInt8]) -> String {
        "\"" + Base64URL.encode(Array(sha256(content).prefix(digestBytes))) + "\""
    }

    /// RFC 9110 section 13.1.1: `*`, or one of the tags, which commas separate, is the current one; an empty text asks for nothing.
    /// Throws `precondition_failed`. To be asked in the transaction that makes the change.
    package static func check(_ ifMatch: String, current: @autoclosure () throws -> String) throws {
        guard !ifMatch.isEmpty else { return }
        let current = try current()
        let tags = ifMatch.split { $0 == "," || $0 == " " }
        guard tags.contains(where: { $0 == "*" || $0 == current }) else {
            throw ServiceError(.preconditionFailed, "the document has changed: read it again")
        }
    }
}
