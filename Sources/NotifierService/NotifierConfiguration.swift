/// The notifier's limits.
package struct NotifierConfiguration: Sendable {
    /// Events kept for one listener until it has fetched them; when more come the oldest go, and it is told to resync.
    package var eventsPerListenerMax = 4096
    /// Events in one reply.
    package var eventsPerReplyMax = 256
    package var listenersMax = 1024
    package var devicesPerListenerMax = 200_000
    /// A listener that has no call parked here for this long may be dead: its devices are rung too. The bus takes as long to see
    /// that a process was killed.
    package var listenerPauseMax = Duration.seconds(3)
    /// A listener that does not ask for this long is forgotten; until then its events are kept.
    package var listenerSilenceMax = Duration.seconds(60)
    /// The longest that one Listen is parked.
    package var listenWaitMax = Duration.seconds(30)
    /// Devices that one Notify may name.
    package var targetsMax = 64
    /// No request lives longer, whatever its end is said to be.
    package var lifetimeMax = Duration.seconds(86_400)
    /// Wake-ups that are owed over one transport, about, of which one tenant has half at most, and one push service of Web Push two thirds of
    /// that; three times as many in all. The excess is recorded as `overloaded`.
    package var queuedWakeUpsMax = 20_000
    /// Wake-ups of one transport that are being sent, of which one party has half at most: as many as a provider takes on one connection while
    /// each answer is 100 ms away, for 5,000 a second.
    package var sendersMax = 1000
    /// Who takes so long to answer keeps nobody else waiting.
    package var slowAfter = Duration.seconds(1)
    /// Dead addresses of one transport that registration is told of at the same time.
    package var dropsMax = 1000
    /// Devices that are left alone at the same time because their providers want it.
    package var heldDevicesMax = 10_000
    /// The longest that one attempt may take.
    package var sendTimeout = Duration.seconds(10)
    /// The same for an administrator's check, below what a gateway waits for it.
    package var checkTimeout = Duration.seconds(4)
    /// How long a wake-up is one process's alone. An attempt begins only while the rest of it is longer than `sendTimeout`, which is also
    /// what the clocks of two notifiers may differ.
    package var wakeUpLease = Duration.seconds(30)
    /// The longest time between two looks for wake-ups that another notifier left behind.
    package var leaseLookPause = Duration.seconds(2)
    /// Before the store is asked again for what is owed, when it did not answer.
    package var readPause = Duration.seconds(1)
    /// Times that one wake-up is tried, while its request lives.
    package var attemptsMax = 3
    /// How far ahead a wake-up can be due: the longest that a provider may ask for, as often doubled as it is tried again.
    var dueMax: Duration { RetryPause.longest * (1 << (attemptsMax - 1)) }
    /// Before a provider that did not answer is asked again for the same wake-up; twice as long each time.
    package var silencePause = Duration.seconds(1)
    /// The least time between two looks at whether a provider may be asked again.
    package var breakerPauseMin = Duration.milliseconds(100)
    package var deliveryRetention = Duration.seconds(30 * 86_400)
    /// How long after a request's end its repeats still ring nobody.
    package var claimRetention = Duration.seconds(86_400)
    package var purgeInterval = Duration.seconds(30)
    package var purgeBatchMax = 1000

    package init() {}

    /// How long to wait before the next attempt after one that ended so; nil when there is none.
    func wait(after outcome: PushOutcome, attempt: Int) -> Duration? {
        let first: Duration
        switch outcome {
        case .paused(let pause): return max(pause, breakerPauseMin)
        case .retry(let pause, _), .throttled(let pause): first = pause
        case .unreachable, .timeout: first = silencePause
        case .delivered, .expiredAddress, .reregisteredAddress, .foreignAddress, .configuration, .tooLarge: return nil
        }
        return attempt < attemptsMax ? first * (1 << (attempt - 1)) : nil
    }
}
