import Domain
import Foundation

/// What a push service's answers mean (RFC 8030 sections 5, 7.2 and 8.4, RFC 8292 section 4.2), with the error numbers of Mozilla's.
enum WebPushAnswer {
    /// Mozilla's "server temporarily unavailable" that is worth another try at once.
    private static let retryAtOnce = 202

    static func verdict(_ answer: ProviderAnswer, now: Timestamp) -> ProviderVerdict {
        switch answer.status {
        // 202 promises a receipt, which was not asked for; the message was taken all the same.
        case 200...202, 204: return .ends(.delivered)
        case 404, 410: return .ends(.expiredAddress)
        // The subscription was made with another key than ours (RFC 8292 section 4.2).
        case 403: return .ends(.foreignAddress)
        case 413: return .ends(.tooLarge)
        // Too many for this subscription (RFC 8030 section 8.4), or, of ntfy, nobody who subscribes to it now: one phone's affair, by which
        // anybody could have the whole service left alone.
        case 429: return .ends(.throttled(after: answer.pause(now: now, otherwise: RetryPause.quota)))
        case 507: return .ends(.throttled(after: answer.pause(now: now, otherwise: RetryPause.device)))
        case 503:
            if number(answer) == retryAtOnce { return .reconnect }
            return .ends(answer.busy(now: now, otherwise: RetryPause.serverError))
        case 500...: return .ends(answer.busy(now: now, otherwise: RetryPause.serverError))
        // 401 refuses our key, 400 the request; a redirection is not followed, because its target was not checked.
        default: return .ends(.configuration)
        }
    }

    static func reason(_ answer: ProviderAnswer) -> String? { number(answer).map { "errno_\($0)" } }

    private static func number(_ answer: ProviderAnswer) -> Int? {
        struct Body: Decodable { let errno: Int? }
        return (try? JSONDecoder().decode(Body.self, from: Data(answer.body)))?.errno
    }
}
