import Domain
import Synchronization

/// The circuit breaker of one provider, around each attempt to ask it.
final class ProviderGate: Sendable {
    private let transport: PushTransport
    private let breaker: Mutex<CircuitBreaker>
    private let count: BreakerCount
    private let now: @Sendable () -> Timestamp
    /// Who was given up sooner says nothing of the provider.
    private let fairTime: Duration
    /// Who waited for a place for longer does not ask: an answer might come too late, and what was sent unheard would be sent again.
    private let waitMax: Duration
    /// It has taken something of this account.
    private let isProven = Atomic(false)

    init(
        _ transport: PushTransport, _ provider: ProviderSettings,
        limits: CircuitBreaker.Limits = CircuitBreaker.Limits()
    ) {
        self.transport = transport
        breaker = Mutex(CircuitBreaker(limits))
        count = provider.breakers
        now = provider.now
        fairTime = provider.fairTime
        waitMax = provider.timeout / 2
    }

    deinit { if !isClosed { count.change(transport, by: -1) } }

    var isClosed: Bool { breaker.withLock(\.isClosed) }

    /// Sends once there is a place on the connection. Waiting for one is nothing that the provider did: it is no failure of it, and whoever
    /// gives up for having waited, or gets a place too late, has not asked it.
    /// `provesAccount`: whether what is delivered now says that the account's own settings are right.
    func attempt(
        over connection: ProviderConnection, provesAccount: Bool = true, _ send: () async -> PushReport
    ) async -> PushReport {
        if let pause = breaker.withLock({ $0.pause(now: now()) }) { return PushReport(.paused(after: pause)) }
        return await withTaskExecutorPreference(connection.executor) {
            let start = now()
            guard await connection.line.enter() else { return PushReport(.paused(after: .zero)) }
            defer { connection.line.leave() }
            guard now() - start <= waitMax else { return PushReport(.paused(after: .zero)) }
            // Others may have failed meanwhile.
            return await attempt(provesAccount: provesAccount, send)
        }
    }

    func attempt(provesAccount: Bool = true, _ send: () async -> PushReport) async -> PushReport {
        let time = now()
        if case .wait(let pause) = breaker.withLock({ $0.admit(now: time) }) {
            return PushReport(.paused(after: pause))
        }
        var report = await send()
        let end = now()
        // It may have been taken, which is for the caller to know.
        if report.outcome == .timeout, Task.isCancelled, end - time < fairTime { return report }
        breaker.withLock { breaker in
            let wasClosed = breaker.isClosed
            breaker.learn(report, at: end)
            // Within the lock, so that two changes are counted in their order.
            if breaker.isClosed != wasClosed { count.change(transport, by: wasClosed ? 1 : -1) }
        }
        if report.outcome == .delivered, provesAccount { isProven.store(true, ordering: .relaxed) }
        // Why a push service forbids one subscription is its own affair, and may pass.
        report.isAccountProven = transport != .webpush && isProven.load(ordering: .relaxed)
        return report
    }
}

extension CircuitBreaker {
    fileprivate mutating func learn(_ report: PushReport, at time: Timestamp) {
        switch report.outcome {
        case .delivered, .expiredAddress, .reregisteredAddress, .foreignAddress, .throttled, .tooLarge: succeeded()
        case .retry(let wanted, holdsBack: true): heldBack(now: time, for: wanted)
        case .retry(let wanted, holdsBack: false): failed(now: time, wanted: wanted)
        // What is answered of one request an address that somebody made up can cause: it must not close the way to everybody else's phone.
        case .configuration where report.status != nil && !report.refusesAccount: succeeded()
        // Refused credentials are refused again: to go on asking makes a provider slow us down.
        case .configuration, .unreachable, .timeout: failed(now: time)
        case .paused: break
        }
    }
}
