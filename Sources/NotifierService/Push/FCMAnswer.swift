import Domain
import Foundation

/// What the answers of FCM HTTP v1 mean ("FCM error codes").
enum FCMAnswer {
    private struct Body: Decodable {
        struct Failure: Decodable {
            let details: [Detail]?
        }
        struct Detail: Decodable {
            let type: String?
            let errorCode: String?

            enum CodingKeys: String, CodingKey {
                case type = "@type"
                case errorCode
            }
        }
        let error: Failure
    }

    static let errorType = "type.googleapis.com/google.firebase.fcm.v1.FcmError"

    static func verdict(_ answer: ProviderAnswer, now: Timestamp) -> ProviderVerdict {
        if answer.status == 200 { return .ends(.delivered) }
        let pause = answer.retryAfter(now: now)
        return switch (answer.status, reason(answer)) {
        case (404, "UNREGISTERED"): .ends(.expiredAddress)
        case (403, "SENDER_ID_MISMATCH"): .ends(.foreignAddress)
        case (401, "THIRD_PARTY_AUTH_ERROR"): .ends(.configuration)
        // No error of FCM but of Google's front door: the access token is over, or was withdrawn.
        case (401, _): .renewToken
        case (413, _): .ends(.tooLarge)
        case (429, _): .ends(.retry(after: pause ?? RetryPause.quota))
        case (500..., _): .ends(.retry(after: max(pause ?? .zero, RetryPause.serverError)))
        // INVALID_ARGUMENT and whatever else a request of ours is refused for: it would be refused again.
        default: .ends(.configuration)
        }
    }

    /// What Google's token endpoint answers when it gives no token (RFC 6749 section 5.2).
    static func tokenRefusal(_ answer: ProviderAnswer, now: Timestamp) -> PushReport {
        struct Body: Decodable { let error: String }
        let pause = answer.retryAfter(now: now)
        let outcome: PushOutcome =
            switch answer.status {
            case 429: .retry(after: pause ?? RetryPause.quota)
            case 500...: .retry(after: max(pause ?? .zero, RetryPause.serverError))
            default: .configuration
            }
        let word = (try? JSONDecoder().decode(Body.self, from: Data(answer.body)))?.error
        return PushReport(
            outcome, status: answer.status, reason: ProviderAnswer.reason(word),
            refusesAccount: outcome == .configuration)
    }

    static func reason(_ answer: ProviderAnswer) -> String? {
        guard let body = try? JSONDecoder().decode(Body.self, from: Data(answer.body)) else { return nil }
        return body.error.details?.first { $0.type == errorType }?.errorCode
    }
}
