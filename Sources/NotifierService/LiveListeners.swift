import Domain
import Synchronization
import Telemetry
import Wire

/// The live channel with its parked calls: an event wakes the listeners of its device at once.
final class LiveListeners: Sendable {
    private struct State {
        var channel: LiveChannel
        var waiters: [String: Waiter] = [:]
        var nextWaiter: UInt64 = 0
        /// Waits that ended before their call was parked.
        var ended: Set<UInt64> = []
    }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }

    private let state: Mutex<State>
    private let configuration: NotifierConfiguration
    private let metrics: NotifierMetrics
    private let now: @Sendable () -> Timestamp
    private let pause: @Sendable (Duration) async throws -> Void

    init(
        epoch: UInt64, configuration: NotifierConfiguration, metrics: NotifierMetrics,
        now: @escaping @Sendable () -> Timestamp,
        pause: @escaping @Sendable (Duration) async throws -> Void
    ) {
        state = Mutex(State(channel: LiveChannel(epoch: epoch, limits: configuration)))
        self.configuration = configuration
        self.metrics = metrics
        self.now = now
        self.pause = pause
    }

    func subscribe(_ request: Subscribe) throws(ServiceError) -> SubscribeReply {
        guard !request.listener.isEmpty else { throw ServiceError(.malformed, "a listener has a name") }
        let time = now()
        // `withLock` would widen the error's type; the result carries it through.
        let result = state.withLock { state -> Result<SubscribeReply, ServiceError> in
            do throws(ServiceError) {
                return .success(try state.channel.subscribe(request, now: time))
            } catch {
                return .failure(error)
            }
        }
        report()
        return try result.get()
    }

    /// Returns whether somebody who surely lives listens for the event's device.
    func publish(_ event: LiveEvent) -> Bool {
        let time = now()
        let (isLive, waiters) = state.withLock { state -> (Bool, [Waiter]) in
            let (listeners, isLive) = state.channel.publish(event, now: time)
            return (isLive, listeners.compactMap { state.waiters.removeValue(forKey: $0) })
        }
        for waiter in waiters { waiter.continuation.resume() }
        return isLive
    }

    /// Answers at once when there is something, else when something comes, when the wait ends, or when a newer call of the same
    /// listener takes this one's place.
    func listen(_ request: Listen) async -> ListenReply {
        let (id, ready) = state.withLock { state -> (UInt64, ListenReply?) in
            state.nextWaiter += 1
            return (state.nextWaiter, state.channel.reply(request, now: now()))
        }
        if let ready { return ready }
        let wait = min(.milliseconds(Int64(request.waitMs)), configuration.listenWaitMax)
        if wait > .zero { await park(request, id, wait) }
        return state.withLock { state in
            state.ended.remove(id)
            // Nobody gets this one, and asking the channel would count as a sign of life.
            if Task.isCancelled { return state.channel.empty(request) }
            return state.channel.reply(request, now: now()) ?? state.channel.empty(request)
        }
    }

    private func park(_ request: Listen, _ id: UInt64, _ wait: Duration) async {
        // Ends with this scope: cancelled as soon as the call is woken.
        async let _: Void = wake(request.listener, id, after: wait)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let time = now()
                let toResume = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                    // Something may have come since the first look.
                    guard !Task.isCancelled, !state.ended.contains(id), state.channel.reply(request, now: time) == nil
                    else {
                        return [continuation]
                    }
                    let superseded = state.waiters.updateValue(
                        Waiter(id: id, continuation: continuation), forKey: request.listener)
                    state.channel.setParked(request.listener, true, seenAt: time)
                    return superseded.map { [$0.continuation] } ?? []
                }
                for continuation in toResume { continuation.resume() }
            }
        } onCancel: {
            wake(request.listener, id)
        }
        let seenAt = Task.isCancelled ? nil : now()
        state.withLock { $0.channel.setParked(request.listener, $0.waiters[request.listener] != nil, seenAt: seenAt) }
    }

    private func wake(_ listener: String, _ id: UInt64, after wait: Duration) async {
        do { try await pause(wait) } catch { return }
        state.withLock { _ = $0.ended.insert(id) }
        wake(listener, id)
    }

    private func wake(_ listener: String, _ id: UInt64) {
        let waiter = state.withLock { $0.waiters[listener]?.id == id ? $0.waiters.removeValue(forKey: listener) : nil }
        waiter?.continuation.resume()
    }

    func forgetSilent() {
        let time = now()
        state.withLock { $0.channel.forgetSilent(now: time) }
        report()
    }

    private func report() {
        let (listeners, devices) = state.withLock { ($0.channel.listenerCount, $0.channel.deviceCount) }
        metrics.listeners.set(Double(listeners))
        metrics.devices.set(Double(devices))
    }
}
