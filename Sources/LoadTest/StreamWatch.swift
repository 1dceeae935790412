import Authenticator

/// What the losses of one phone's event stream come to. One that is open again by the phone's own rule, in time, is a reconnection: no
/// sign-in need have noticed. One that is not is a failure.
struct StreamWatch {
    private typealias Loss = (error: AuthenticatorError, at: ContinuousClock.Instant, attempts: Int)

    /// The longest pause of the rule: whoever is away for longer was refused again and again.
    static let absenceMax = ReconnectPolicy().longest

    private var loss: Loss?
    /// This loss has been told as a failure.
    private var isTold = false

    mutating func connected(at now: ContinuousClock.Instant) -> PhoneReport? {
        guard let loss else { return nil }
        defer { (self.loss, isTold) = (nil, false) }
        if isTold { return nil }
        return now - loss.at <= Self.absenceMax ? .reconnected(Self.words(loss.error)) : .failed(Self.words(loss.error))
    }

    /// Also of an attempt to open it that failed.
    mutating func disconnected(_ error: AuthenticatorError, at now: ContinuousClock.Instant) -> PhoneReport? {
        let first: Loss = loss ?? (error: error, at: now, attempts: 0)
        loss = (error: first.error, at: first.at, attempts: first.attempts + 1)
        guard !isTold, now - first.at > Self.absenceMax else { return nil }
        isTold = true
        return .failed(Self.words(error))
    }

    /// At the end of the run: one that could not be opened again is lost. One that was lost a moment ago has not been tried.
    func ended() -> PhoneReport? {
        guard let loss, loss.attempts > 1, !isTold else { return nil }
        return .failed(Self.words(loss.error))
    }

    private static func words(_ error: AuthenticatorError) -> String { "event stream: \(error)" }
}
