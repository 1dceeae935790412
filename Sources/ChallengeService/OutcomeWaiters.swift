import Domain
import Synchronization
import Wire

/// Who waits in this process for which challenge. A waiter enters before it reads the challenge, so that a change between its
/// reading and its waiting is not missed.
final class OutcomeWaiters: Sendable {
    struct Ticket: Hashable, Sendable {
        let challenge: ChallengeID
        fileprivate let number: UInt64
    }

    private enum Waiter {
        case entered
        case waiting(CheckedContinuation<Void, Never>)
        /// Woken before it began to wait.
        case woken
    }

    private struct State {
        var waiters: [ChallengeID: [UInt64: Waiter]] = [:]
        var count = 0
        var lastNumber: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.count } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Throws `overloaded` when too many wait already. Every `enter` is followed by one `leave`.
    func enter(_ challenge: ChallengeID) throws(ServiceError) -> Ticket {
        let ticket = state.withLock { state -> Ticket? in
            guard state.count < limit else { return nil }
            state.count += 1
            state.lastNumber += 1
            state.waiters[challenge, default: [:]][state.lastNumber] = state.isClosed ? .woken : .entered
            return Ticket(challenge: challenge, number: state.lastNumber)
        }
        guard let ticket else { throw ServiceError(.overloaded, "too many are waiting", retryAfter: .seconds(1)) }
        return ticket
    }

    /// Returns when the challenge changes, when `wake` names the ticket, or when the task is cancelled.
    func wait(_ ticket: Ticket) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    guard case .entered? = state.waiters[ticket.challenge]?[ticket.number], !Task.isCancelled else {
                        return true
                    }
                    state.waiters[ticket.challenge]?[ticket.number] = .waiting(continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            wake(ticket)
        }
    }

    func leave(_ ticket: Ticket) {
        state.withLock { state in
            guard state.waiters[ticket.challenge]?.removeValue(forKey: ticket.number) != nil else { return }
            state.count -= 1
            if state.waiters[ticket.challenge]?.isEmpty == true { state.waiters[ticket.challenge] = nil }
        }
    }

    /// Wakes one waiter; harmless when it has left.
    func wake(_ ticket: Ticket) {
        state.withLock { Self.wake(ticket.number, of: ticket.challenge, &$0) }?.resume()
    }

    /// Wakes all who wait for this challenge.
    func wake(_ challenge: ChallengeID) {
        let woken = state.withLock { (state: inout State) -> [CheckedContinuation<Void, Never>] in
            var woken: [CheckedContinuation<Void, Never>] = []
            for number in (state.waiters[challenge] ?? [:]).keys {
                if let waiter = Self.wake(number, of: challenge, &state) { woken.append(waiter) }
            }
            return woken
        }
        for waiter in woken { waiter.resume() }
    }

    /// Wakes everybody.
    func wakeAll() {
        let woken = state.withLock { Self.wakeAll(&$0) }
        for waiter in woken { waiter.resume() }
    }

    /// Wakes everybody, now and from now on: the process is stopping, and each answers with what is.
    func close() {
        let woken = state.withLock { state in
            state.isClosed = true
            return Self.wakeAll(&state)
        }
        for waiter in woken { waiter.resume() }
    }

    private static func wakeAll(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        var woken: [CheckedContinuation<Void, Never>] = []
        for (challenge, waiters) in state.waiters {
            for number in waiters.keys {
                if let waiter = wake(number, of: challenge, &state) { woken.append(waiter) }
            }
        }
        return woken
    }

    private static func wake(_ number: UInt64, of challenge: ChallengeID, _ state: inout State) -> CheckedContinuation<
        Void, Never
    >? {
        guard let waiter = state.waiters[challenge]?[number] else { return nil }
        state.waiters[challenge]?[number] = .woken
        if case .waiting(let continuation) = waiter { return continuation }
        return nil
    }
}
