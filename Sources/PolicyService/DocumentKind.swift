import Domain
import Messaging
import Proofs
import Secrets
import Storage
import Wire

/// The rules of one kind of document.
struct DocumentKind: Sendable {
    let record: TenantDocument
    let action: PolicyAction
    /// What the audit log calls the document: its path below `admin/`.
    let target: String
    /// Checks a merge patch for members that no document has.
    let check: @Sendable (JSONValue) throws -> Void
    /// Checks a document and fills in what it leaves out.
    let complete: @Sendable (JSONValue) throws -> JSONValue

    static let policy = DocumentKind(
        record: .policy, action: .changePolicy, target: "policies/authenticator",
        check: { try AuthenticatorPolicy.shape.check($0) },
        complete: { try AuthenticatorPolicy(document: $0).document })

    static let settings = DocumentKind(
        record: .settings, action: .changeSettings, target: "settings",
        check: { try TenantSettings.shape.check($0) },
        complete: { try TenantSettings(document: $0).document })

    /// The document as it is now, complete also when an earlier build wrote it.
    func document(of tenant: StoredTenant) throws -> JSONValue {
        do {
            return try complete(JSONValue(parsing: stored(in: tenant).json))
        } catch {
            throw StorageError.corrupt
        }
    }

    func stored(in tenant: StoredTenant) -> StoredDocument {
        switch record {
        case .policy: tenant.policy
        case .settings: tenant.settings
        }
    }

    /// The document after a merge patch; a refusal names the member.
    func merging(_ patch: [UInt8], into document: JSONValue) throws -> JSONValue {
        guard patch.count <= PolicyConfiguration.patchBytesMax else {
            throw ServiceError(.tooLarge, "the patch is too large")
        }
        do {
            let patch = try JSONValue(parsing: patch)
            guard patch.members != nil else {
                throw DocumentFault.malformed(detail: "a merge patch of this document is an object")
            }
            try check(patch)
            let next = try complete(document.merging(patch))
            guard next.canonicalText.utf8.count <= PolicyConfiguration.documentBytesMax else {
                throw ServiceError(.tooLarge, "the document would be too large")
            }
            return next
        } catch let fault as DocumentFault {
            throw ServiceError(fault)
        } catch let fault as JSONFault {
            throw ServiceError(.malformed, fault.detail(of: "the patch"))
        }
    }
}
