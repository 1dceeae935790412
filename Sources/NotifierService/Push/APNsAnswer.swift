import Domain
import Foundation

/// What APNs' answers mean ("Handling notification responses from APNs").
enum APNsAnswer {
    /// `registeredAt` is when the phone registered the address last, where that is known.
    static func verdict(_ answer: ProviderAnswer, now: Timestamp, registeredAt: Timestamp? = nil) -> ProviderVerdict {
        if answer.status == 200 { return .ends(.delivered) }
        let saysWhen = answer.retryAfter(now: now) != nil
        return switch (answer.status, reason(answer)) {
        case (400, "IdleTimeout"): .reconnect
        // The same address at the other environment, or of another of our applications, is refused like this, too.
        case (400, "BadDeviceToken"), (400, "DeviceTokenNotForTopic"): .ends(.foreignAddress)
        case (403, "ExpiredProviderToken"): .renewToken
        case (410, _): .ends(isOutdated(answer, registeredAt) ? .reregisteredAddress : .expiredAddress)
        case (413, _): .ends(.tooLarge)
        // Of this device alone. Everything else that is too much is of the account.
        case (429, "TooManyRequests"):
            .ends(.throttled(after: answer.pause(now: now, otherwise: RetryPause.device)))
        case (429, _): .ends(answer.busy(now: now, otherwise: RetryPause.quota))
        // Another server of Apple's answers, unless this one says that all want to be left alone.
        case (503, "Shutdown") where !saysWhen, (503, "ServiceUnavailable") where !saysWhen: .reconnect
        case (500..., _): .ends(answer.busy(now: now, otherwise: RetryPause.serverError))
        // Everything else says that a request or the account behind it is wrong, and would say it again.
        default: .ends(.configuration)
        }
    }

    static func reason(_ answer: ProviderAnswer) -> String? { body(answer)?.reason }

    /// Whether the token was made too soon after another, which APNs takes still.
    static func wantsFormerToken(_ answer: ProviderAnswer) -> Bool {
        answer.status == 429 && reason(answer) == "TooManyProviderTokenUpdates"
    }

    /// The other refusals are of one request. A phone can cause those: it gives its token, and may give its topic.
    static func refusesAccount(_ answer: ProviderAnswer) -> Bool {
        answer.status == 403 || !(400..<500).contains(answer.status)
    }

    /// Whether APNs confirmed that the address was not valid before the phone registered it again.
    private static func isOutdated(_ answer: ProviderAnswer, _ registeredAt: Timestamp?) -> Bool {
        guard let registeredAt, let confirmedAt = body(answer)?.timestamp else { return false }
        return Timestamp(milliseconds: confirmedAt) < registeredAt
    }

    private struct Body: Decodable {
        let reason: String
        /// Milliseconds since 1970, with status 410.
        let timestamp: Int64?
    }

    private static func body(_ answer: ProviderAnswer) -> Body? {
        try? JSONDecoder().decode(Body.self, from: Data(answer.body))
    }
}
