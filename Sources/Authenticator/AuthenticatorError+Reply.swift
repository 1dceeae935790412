import DeviceAPI
import Foundation

extension AuthenticatorError {
    /// What a reply with an error status means: its `code` decides, and where a proxy answered instead, its status.
    init(_ reply: TransportResponse) {
        let problem = try? JSONDecoder().decode(ProblemDocument.self, from: reply.body)
        let wait = reply.head["Retry-After"].flatMap { Int64($0) }.map { Duration.seconds(max(0, min($0, 86_400))) }
        self.init(
            code: problem?.code ?? "", status: reply.head.status, members: problem?.members ?? [:], retryAfter: wait)
    }

    /// What a refusal with this code means, whether it was met or told beforehand.
    init(code: String, status: Int, members: [String: String] = [:], retryAfter wait: Duration? = nil) {
        switch code {
        case "refused": self = members["reason"] == "credential" ? .invalidCredentials : .refused
        case "not_authenticated", "invalid_proof": self = .notAuthenticated
        case "clock_skew": self = .clockSkew
        case "ticket_used": self = .ticketUsed
        case "too_many_devices": self = .tooManyDevices
        case "expired": self = .expired
        case "settled": self = .settled
        case "single_tenant": self = .singleTenant
        case "update_required": self = .updateRequired(minimum: members["minimum"])
        case "invalid_credentials": self = .invalidCredentials
        case "too_many_attempts": self = .tooManyAttempts(retryAfter: wait)
        case "unavailable", "overloaded": self = .unavailable(retryAfter: wait)
        case "not_found": self = .notFound
        default: self = Self.byStatus(status, code: code, wait: wait)
        }
    }

    private static func byStatus(_ status: Int, code: String, wait: Duration?) -> AuthenticatorError {
        switch status {
        case 429: .tooManyAttempts(retryAfter: wait)
        case 502, 503, 504: .unavailable(retryAfter: wait)
        case 400... where !code.isEmpty: .rejected(status: status, code: code)
        default: .unexpectedReply
        }
    }
}
