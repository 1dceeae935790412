import Domain
import ServiceKit
import Synchronization
import Telemetry
import Wire

/// The live channel with its parked calls: an event wakes the listeners of its device at once.
final class LiveListeners: Sendable {
    private struct State {
        var channel: LiveChannel
        /// What wakes the parked call of a listener.
        var parked: [String: ChangeSignal] = [:]
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
        let (isLive, parked) = state.withLock { state -> (Bool, [ChangeSignal]) in
            let (listeners, isLive) = state.channel.publish(event, now: time)
            return (isLive, listeners.compactMap { state.parked.removeValue(forKey: $0) })
        }
        for word in parked { word.advance() }
        return isLive
    }

    /// Answers at once when there is something, else when something comes, when the wait ends, or when a newer call of the same
    /// listener takes this one's place.
    func listen(_ request: Listen) async -> ListenReply {
        if let ready = state.withLock({ $0.channel.reply(request, now: now()) }) { return ready }
        let wait = min(.milliseconds(Int64(request.waitMs)), configuration.listenWaitMax)
        if wait > .zero { await park(request, wait) }
        return state.withLock { state in
            // Nobody gets this one, and asking the channel would count as a sign of life.
            if Task.isCancelled { return state.channel.empty(request) }
            return state.channel.reply(request, now: now()) ?? state.channel.empty(request)
        }
    }

    private func park(_ request: Listen, _ wait: Duration) async {
        let word = ChangeSignal()
        let time = now()
        let other = state.withLock { state -> ChangeSignal? in
            // Something may have come since the first look.
            guard !Task.isCancelled, state.channel.reply(request, now: time) == nil else { return word }
            state.channel.setParked(request.listener, true, seenAt: time)
            return state.parked.updateValue(word, forKey: request.listener)
        }
        other?.advance()
        await word.wait(past: 0) { [pause] in try await pause(wait) }
        let seenAt = Task.isCancelled ? nil : now()
        state.withLock { state in
            if state.parked[request.listener] === word { state.parked[request.listener] = nil }
            state.channel.setParked(request.listener, state.parked[request.listener] != nil, seenAt: seenAt)
        }
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
