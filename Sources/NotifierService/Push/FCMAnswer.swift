import Domain
import Foundation

/// What the answers of FCM HTTP v1 mean ("FCM error codes", "FCM throttling and quotas").
enum FCMAnswer {
    private struct Body: Decodable {
        struct Failure: Decodable {
            let details: [Detail]?
        }
        struct Detail: Decodable {
            let type: String?
            let errorCode: String?
            /// Of `google.rpc.ErrorInfo`.
            let reason: String?
            let metadata: [String: String]?
            /// Of `google.rpc.QuotaFailure`.
            let violations: [Violation]?
            /// Of `google.rpc.BadRequest`.
            let fieldViolations: [FieldViolation]?

            enum CodingKeys: String, CodingKey {
                case type = "@type"
                case errorCode, reason, metadata, violations, fieldViolations
            }
        }
        struct Violation: Decodable {
            let subject: String?
            let quotaId: String?
        }
        struct FieldViolation: Decodable {
            let field: String?
        }
        let error: Failure
    }

    static let errorType = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    private static let infoType = "type.googleapis.com/google.rpc.ErrorInfo"
    private static let quotaType = "type.googleapis.com/google.rpc.QuotaFailure"
    private static let requestType = "type.googleapis.com/google.rpc.BadRequest"
    /// What of a request of ours a phone has given.
    private static let tokenField = "message.token"

    /// Whose quota is used up.
    private enum QuotaOwner { case project, device }

    static func verdict(_ answer: ProviderAnswer, now: Timestamp) -> ProviderVerdict {
        if answer.status == 200 { return .ends(.delivered) }
        return switch (answer.status, reason(answer)) {
        case (404, "UNREGISTERED"): .ends(.expiredAddress)
        // What a phone gave as its token never was one.
        case (400, "INVALID_ARGUMENT") where refusedFields(answer).contains(tokenField): .ends(.expiredAddress)
        case (403, "SENDER_ID_MISMATCH"): .ends(.foreignAddress)
        case (401, "THIRD_PARTY_AUTH_ERROR"): .ends(.configuration)
        // No error of FCM but of Google's front door: the access token is over, or was withdrawn.
        case (401, _): .renewToken
        case (413, _): .ends(.tooLarge)
        case (429, _): .ends(exhausted(answer, now: now))
        case (500..., _): .ends(busy(answer, now: now))
        // INVALID_ARGUMENT and whatever else a request of ours is refused for: it would be refused again.
        default: .ends(.configuration)
        }
    }

    /// What Google's token endpoint answers when it gives no token (RFC 6749 section 5.2).
    static func tokenRefusal(_ answer: ProviderAnswer, now: Timestamp) -> PushReport {
        struct Body: Decodable { let error: String }
        let outcome: PushOutcome =
            switch answer.status {
            // Who gets no token sends nothing.
            case 429: answer.busy(now: now, otherwise: RetryPause.quota)
            case 500...: busy(answer, now: now)
            default: .configuration
            }
        let word = (try? JSONDecoder().decode(Body.self, from: Data(answer.body)))?.error
        return PushReport(
            outcome, status: answer.status, reason: ProviderAnswer.reason(word),
            refusesAccount: outcome == .configuration)
    }

    static func reason(_ answer: ProviderAnswer) -> String? {
        let details = details(answer)
        // What Google's front door refuses has no word of FCM's.
        return details.first { $0.type == errorType }?.errorCode ?? details.first { $0.type == infoType }?.reason
    }

    /// A request's is what it says of the message, and of what stands behind the phone: a certificate for APNs or for Web Push.
    static func refusesAccount(_ answer: ProviderAnswer) -> Bool {
        answer.status != 400 && reason(answer) != "THIRD_PARTY_AUTH_ERROR"
    }

    private static func details(_ answer: ProviderAnswer) -> [Detail] {
        (try? JSONDecoder().decode(Body.self, from: Data(answer.body)))?.error.details ?? []
    }

    private static func refusedFields(_ answer: ProviderAnswer) -> [String] {
        details(answer).filter { $0.type == requestType }.flatMap { $0.fieldViolations ?? [] }.compactMap(\.field)
    }

    private typealias Detail = Body.Detail

    private static func busy(_ answer: ProviderAnswer, now: Timestamp) -> PushOutcome {
        answer.busy(now: now, otherwise: RetryPause.serverError)
    }

    /// QUOTA_EXCEEDED is said of the project's messages a minute and of one device's alike. Where FCM does not say whose it is, the
    /// answers that follow do: nobody may close the way to everybody's phone by having one rung too often.
    private static func exhausted(_ answer: ProviderAnswer, now: Timestamp) -> PushOutcome {
        switch quotaOwner(details(answer)) {
        case .device: .throttled(after: answer.pause(now: now, otherwise: RetryPause.device))
        case .project: .retry(after: answer.pause(now: now, otherwise: RetryPause.quota), holdsBack: true)
        case nil: .retry(after: answer.pause(now: now, otherwise: RetryPause.quota))
        }
    }

    private static func quotaOwner(_ details: [Detail]) -> QuotaOwner? {
        let consumer = details.first { $0.type == infoType }?.metadata?["consumer"]
        if consumer?.hasPrefix("project") == true { return .project }
        // A message of ours goes to one token: what is used up is the project's quota, or that device's.
        let violations = details.filter { $0.type == quotaType }.flatMap { $0.violations ?? [] }
        let owners = violations.compactMap { violation -> QuotaOwner? in
            if violation.quotaId?.hasSuffix("PerProject") == true { return .project }
            guard let subject = violation.subject, !subject.isEmpty else { return nil }
            return subject.hasPrefix("project") ? .project : .device
        }
        return owners.contains(.project) ? .project : owners.first
    }
}
