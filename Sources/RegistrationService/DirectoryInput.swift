import Domain
import Storage
import Wire

/// What administrators write into the directory, checked before it is kept.
enum DirectoryInput {
    static let administrator = "administrator"
    private static let displayNameCharactersMax = 256
    private static let groupNameCharactersMax = 256

    static func username(_ text: String) throws(ServiceError) -> String {
        guard Username.isValid(text) else { throw ServiceError(.invalidUsername, Username.rule) }
        return text
    }

    /// The user name when none is given.
    static func displayName(_ text: String, of username: String) throws(ServiceError) -> String {
        guard text.unicodeScalars.count <= displayNameCharactersMax,
            !text.unicodeScalars.contains(where: \.isUnprintable)
        else {
            throw ServiceError(
                .invalidValue, "displayName: at most \(displayNameCharactersMax) characters, no control character",
                members: ["member": "displayName", "reason": "display_name", "max": "\(displayNameCharactersMax)"])
        }
        return text.isEmpty ? username : text
    }

    static func groupName(_ text: String) throws(ServiceError) -> String {
        guard (1...groupNameCharactersMax).contains(text.unicodeScalars.count),
            !text.unicodeScalars.contains(where: \.isUnprintable)
        else {
            throw ServiceError(
                .invalidValue, "name: 1 to \(groupNameCharactersMax) characters, no control character",
                members: ["member": "name", "reason": "group_name", "max": "\(groupNameCharactersMax)"])
        }
        return text
    }

    static func roles(_ roles: [String]) throws(ServiceError) -> [String] {
        for role in roles where role != administrator {
            throw ServiceError(
                .invalidValue, "roles: the only role is \(administrator)",
                members: ["member": "roles", "reason": "role", "role": administrator])
        }
        return Set(roles).sorted()
    }

    static func groups(_ ids: [String], tenant: TenantID, _ records: any RegistrationRecords) throws -> [GroupID] {
        let wanted = Set(ids.map { GroupID($0) })
        guard try records.existing(groups: Array(wanted), tenant: tenant) == wanted else {
            throw ServiceError(.invalidValue, "groups: one of them does not exist", members: ["member": "groups"])
        }
        return wanted.sorted { $0.rawValue < $1.rawValue }
    }
}
