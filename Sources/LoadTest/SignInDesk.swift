import Synchronization

/// Where the page of one person lays what the phone is to do about a request, and the phone reads it: a phone may hear of a request
/// before its page has the reply. A person has one sign-in at a time.
final class SignInDesk: Sendable {
    struct Instruction: Sendable {
        let request: String
        let intention: Intention
        /// What the page shows.
        let number: String
        /// How long the person takes.
        let delay: Duration
    }

    private struct State {
        var instruction: Instruction?
        var waiting: (request: String, phone: CheckedContinuation<Instruction?, Never>)?
        /// When the phone sent its answer, and what it was told.
        var answered: (request: String, at: ContinuousClock.Instant)?
        var isClosed = false
    }

    private let state = Mutex(State())

    func put(_ instruction: Instruction) {
        let waiting = state.withLock { state in
            state.instruction = instruction
            state.answered = nil
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.phone.resume(returning: waiting?.request == instruction.request ? instruction : nil)
    }

    /// What to do about a request; nil when its page has gone on to another one, or the desk is closed.
    func instruction(for request: String) async -> Instruction? {
        await withCheckedContinuation { continuation in
            let found: Instruction?? = state.withLock { state in
                if let instruction = state.instruction, instruction.request == request { return .some(instruction) }
                // A request of somebody else's may come at any time, and nobody would lay anything here for it.
                guard !state.isClosed, state.waiting == nil else { return .some(nil) }
                state.waiting = (request, continuation)
                return nil
            }
            if let found { continuation.resume(returning: found) }
        }
    }

    func answers(_ request: String, at time: ContinuousClock.Instant) {
        state.withLock { $0.answered = (request, time) }
    }

    func answerTime(of request: String) -> ContinuousClock.Instant? {
        state.withLock { $0.answered?.request == request ? $0.answered?.at : nil }
    }

    /// Nobody will lay anything here any more.
    func close() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            state.isClosed = true
            return state.waiting
        }
        waiting?.phone.resume(returning: nil)
    }
}
