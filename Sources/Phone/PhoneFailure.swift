import Authenticator
import Foundation

/// Why a command ends: a sentence for people, a word for programs, and an exit code of sysexits.h.
struct PhoneFailure: Error {
    let status: Int32
    let sentence: String
    /// A closed word, as the `error` of a JSON line.
    let word: String

    init(_ status: Int32, _ sentence: String, word: String? = nil) {
        self.status = status
        self.sentence = sentence
        self.word = word ?? (status == 64 ? "usage" : status == 65 ? "bad_data" : status == 66 ? "not_found" : "failed")
    }

    init(_ error: any Error, file: String) {
        switch error {
        case let failure as PhoneFailure: self = failure
        case let error as AuthenticatorError: self = Self.meaning(of: error)
        case FileVault.Failure.exposed: self.init(77, "\(file): \(FileVault.Failure.exposed)", word: "file_exposed")
        case let error as FileVault.Failure: self.init(74, "\(file): \(error)", word: "file_unusable")
        default: self.init(70, "this should not have happened", word: "internal")
        }
    }

    /// Why phone sign-in cannot be set up for this account now, whatever the person shows.
    init(_ refusal: AuthenticatorError, settingUp account: Account) {
        let failure = Self.meaning(of: refusal)
        let policy = "\(account.tenantName) does not allow phone sign-in for \(account.username)"
        self.init(failure.status, refusal == .refused ? policy : failure.sentence, word: failure.word)
    }

    private static func meaning(of error: AuthenticatorError) -> PhoneFailure {
        let (status, word): (Int32, String) =
            switch error {
            case .invalidActivationLink: (65, "invalid_activation_link")
            case .invalidNumber: (65, "invalid_number")
            case .unknownAccount: (66, "unknown_account")
            case .unknownRequest: (66, "unknown_request")
            case .refused: (77, "refused")
            case .notAuthenticated: (77, "not_authenticated")
            case .clockSkew: (77, "clock_skew")
            case .ticketUsed: (77, "ticket_used")
            case .tooManyDevices: (77, "too_many_devices")
            case .expired: (77, "expired")
            case .settled: (77, "settled")
            case .singleTenant: (77, "single_tenant")
            case .updateRequired: (77, "update_required")
            case .invalidCredentials: (77, "invalid_credentials")
            case .tooManyAttempts: (75, "too_many_attempts")
            case .unavailable: (69, "unavailable")
            case .notFound: (66, "not_found")
            case .rejected: (77, "rejected")
            case .transport: (69, "unreachable")
            case .unexpectedReply: (76, "unexpected_reply")
            case .keyUnavailable: (74, "key_unavailable")
            case .storeUnavailable: (74, "store_unavailable")
            case .canceled: (75, "canceled")
            }
        return PhoneFailure(status, error.description, word: word)
    }
}
