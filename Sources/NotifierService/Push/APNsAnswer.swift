import Domain
import Foundation

/// What APNs' answers mean ("Handling notification responses from APNs").
enum APNsAnswer {
    static func verdict(_ answer: ProviderAnswer, now: Timestamp) -> ProviderVerdict {
        if answer.status == 200 { return .ends(.delivered) }
        let pause = answer.retryAfter(now: now)
        return switch (answer.status, reason(answer)) {
        case (400, "IdleTimeout"): .reconnect
        // The same address at the other environment, or of another of our applications, is refused like this, too.
        case (400, "BadDeviceToken"), (400, "DeviceTokenNotForTopic"): .ends(.foreignAddress)
        case (403, "ExpiredProviderToken"): .renewToken
        case (410, _): .ends(.expiredAddress)
        case (413, _): .ends(.tooLarge)
        case (429, "TooManyRequests"): .ends(.throttled(after: pause ?? RetryPause.device))
        case (429, _): .ends(.retry(after: pause ?? RetryPause.quota))
        case (503, "Shutdown"), (503, "ServiceUnavailable"): pause.map { .ends(.retry(after: $0)) } ?? .reconnect
        case (500..., _): .ends(.retry(after: pause ?? RetryPause.serverError))
        // Everything else says that a request or the account behind it is wrong, and would say it again.
        default: .ends(.configuration)
        }
    }

    static func reason(_ answer: ProviderAnswer) -> String? {
        struct Body: Decodable { let reason: String }
        return (try? JSONDecoder().decode(Body.self, from: Data(answer.body)))?.reason
    }
}
