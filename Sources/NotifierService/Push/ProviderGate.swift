import Domain
import Synchronization

/// The circuit breaker of one provider, around each attempt to ask it.
final class ProviderGate: Sendable {
    private let breaker: Mutex<CircuitBreaker>
    private let now: @Sendable () -> Timestamp

    init(_ limits: CircuitBreaker.Limits = CircuitBreaker.Limits(), now: @escaping @Sendable () -> Timestamp) {
        breaker = Mutex(CircuitBreaker(limits))
        self.now = now
    }

    var isClosed: Bool { breaker.withLock(\.isClosed) }

    func attempt(_ send: () async -> PushOutcome) async -> PushOutcome {
        let time = now()
        if case .wait(let pause) = breaker.withLock({ $0.admit(now: time) }) { return .paused(after: pause) }
        let outcome = await send()
        let end = now()
        breaker.withLock { breaker in
            switch outcome {
            case .delivered, .expiredAddress, .foreignAddress, .throttled, .tooLarge: breaker.succeeded()
            case .retry(let wanted): breaker.failed(now: end, wanted: wanted)
            // Refused credentials are refused again: to go on asking makes a provider slow us down.
            case .configuration, .unreachable, .timeout: breaker.failed(now: end)
            case .paused: break
            }
        }
        return outcome
    }
}
