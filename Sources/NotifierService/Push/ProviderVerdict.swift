import Domain

/// What a provider's answer asks for: an end of the attempt, or one more request within it.
enum ProviderVerdict: Hashable, Sendable {
    case ends(PushOutcome)
    /// At once, on another connection: this one is at its end.
    case reconnect
    /// At once, with another token: the provider calls this one too old.
    case renewToken
}

/// What became of an attempt to get another token.
enum TokenRenewal: Sendable {
    case renewed
    /// The one that was refused is all that there is: the refusal stands.
    case unchanged
    /// There is none to be had, of a provider that has one for us at another time perhaps.
    case failed(PushReport)
}

/// An answer of a provider, as far as its meaning depends on it.
struct ProviderAnswer: Sendable {
    let status: Int
    /// The value of `Retry-After`, if any.
    let retryAfter: String?
    let body: [UInt8]
    /// Which of our connections to the provider it came over.
    var connection = 0

    private static let reasonCharactersMax = 64

    /// A provider's word, as far as it may be shown and logged: a peer's text. Nil for one that is no word.
    static func reason(_ text: String?) -> String? {
        guard let text, (1...reasonCharactersMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x5F })
        else { return nil }
        return text
    }

    /// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3), at most `RetryPause.longest`; nil when there is none that can be read.
    func retryAfter(now: Timestamp) -> Duration? {
        guard let text = retryAfter else { return nil }
        let pause: Duration
        if let seconds = Int64(text) {
            // A peer's number: bounded before it is used.
            pause = .seconds(min(max(seconds, 0), RetryPause.longest.components.seconds))
        } else if let time = HTTPDate.parse(text) {
            pause = time - now
        } else {
            return nil
        }
        return min(max(pause, .zero), RetryPause.longest)
    }

    /// As long as the provider says, or else `pause`. What it says is how long to wait at least: `RetryPause.least` is waited even after
    /// "at once", which one that is busy has no use for.
    func pause(now: Timestamp, otherwise pause: Duration) -> Duration {
        max(retryAfter(now: now) ?? pause, RetryPause.least)
    }

    /// Of an answer that is about all that we send: when the provider says how long it wants to be left alone, so it is; when it does not,
    /// `pause` is for this wake-up, and others may find out for themselves.
    func busy(now: Timestamp, otherwise pause: Duration) -> PushOutcome {
        guard let wanted = retryAfter(now: now), wanted > .zero else { return .retry(after: pause) }
        return .retry(after: max(wanted, RetryPause.least), holdsBack: true)
    }
}

/// How long a provider is left alone when it does not say, and the least and the most where it does.
enum RetryPause {
    /// After whatever asks for a pause at all, of all or of one device.
    static let least = Duration.seconds(1)
    /// The least that Google wants after an error of the server.
    static let serverError = Duration.seconds(1)
    /// The least that Google wants after QUOTA_EXCEEDED without a `Retry-After`.
    static let quota = Duration.seconds(60)
    /// Before one device is rung again that was rung too often.
    static let device = Duration.seconds(10)
    /// Whatever a provider asks for, it is asked again after this long.
    static let longest = Duration.seconds(3600)
}
