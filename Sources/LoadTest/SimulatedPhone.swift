import Authenticator
import Synchronization

/// One person's phone with a key of its own, and an event stream or a push address. It does with each request what the page of that
/// request says.
struct SimulatedPhone: Sendable {
    /// How often a wrong number is typed at most: as often as any tenant lets one try.
    private static let wrongNumbersMax = 3

    let authenticator: Authenticator
    let account: Account.ID
    let desk: SignInDesk
    /// What a push provider wakes it by; nil for a phone that holds an event stream.
    let reception: PushReception?

    /// Listens until the task is canceled. `report` hears that it listens, what went wrong, and of
    /// answers that did not come to what was intended.
    func listen(_ report: @escaping @Sendable (PhoneReport) -> Void) async {
        if let reception { await listen(to: reception, report) } else { await listenToStream(report) }
    }

    /// Asks for its requests each time that it is woken.
    private func listen(to reception: PushReception, _ report: @Sendable (PhoneReport) -> Void) async {
        report(.connected)
        var latest: String?
        for await message in reception.messages {
            do {
                try reception.check(message)
            } catch {
                report(.failed("push message: \(error)"))
                continue
            }
            do {
                for challenge in try await authenticator.pending(account) where challenge.id != latest {
                    latest = challenge.id
                    await act(on: challenge, report)
                }
            } catch {
                if Task.isCancelled { return }
                report(.failed("pending: \(error)"))
            }
        }
        if !Task.isCancelled { report(.failed("push double: it ended")) }
    }

    private func listenToStream(_ report: @escaping @Sendable (PhoneReport) -> Void) async {
        let watch = Mutex(StreamWatch())
        do {
            try await authenticator.listen(account) { event in
                switch event {
                case .challenge(let challenge): await self.act(on: challenge, report)
                case .disconnected(let error, _):
                    if let told = watch.withLock({ $0.disconnected(error, at: .now) }) { report(told) }
                case .connected:
                    report(.connected)
                    if let told = watch.withLock({ $0.connected(at: .now) }) { report(told) }
                case .settled: break
                }
            }
            if let told = watch.withLock({ $0.ended() }) { report(told) }
        } catch {
            report(.failed("event stream: \(error)"))
        }
    }

    private func act(on challenge: Challenge, _ report: @Sendable (PhoneReport) -> Void) async {
        guard let instruction = await desk.instruction(for: challenge.id) else { return }
        do {
            if instruction.delay > .zero { try await Task.sleep(for: instruction.delay) }
            desk.answers(challenge.id, at: .now)
            let outcome = try await answer(challenge.shown { _ in }, instruction)
            guard let outcome, outcome != Self.expected(instruction.intention) else { return }
            report(.mismatched("\(instruction.intention.rawValue): the phone was told \(outcome)"))
        } catch {
            if Task.isCancelled { return }
            report(.failed("answer: \(error)"))
        }
    }

    /// Nil where nothing is answered.
    private func answer(_ shown: ShownChallenge, _ instruction: SignInDesk.Instruction) async throws -> AnswerOutcome? {
        switch instruction.intention {
        case .approve: return try await authenticator.answer(shown, with: .approve(number: instruction.number))
        case .decline: return try await authenticator.answer(shown, with: .decline)
        case .noAnswer, .code: return nil
        case .wrongNumber:
            var outcome = AnswerOutcome.wrongNumberTryAgain
            for attempt in 1...Self.wrongNumbersMax where outcome == .wrongNumberTryAgain {
                let number = Self.number(of: instruction.number.utf8.count, other: instruction.number, attempt)
                outcome = try await authenticator.answer(shown, with: .approve(number: number))
            }
            return outcome
        }
    }

    /// As many digits as the right number, and not that one; another one at each attempt.
    private static func number(of digits: Int, other right: String, _ attempt: Int) -> String {
        let wrong = String(repeating: "1", count: digits - 1) + String(attempt)
        return wrong == right ? String(repeating: "1", count: digits - 1) + "9" : wrong
    }

    private static func expected(_ intention: Intention) -> AnswerOutcome? {
        switch intention {
        case .approve: .approved
        case .decline: .denied(.declined)
        case .wrongNumber: .denied(.wrongNumber)
        case .noAnswer, .code: nil
        }
    }
}

/// What a phone has to tell.
enum PhoneReport: Sendable {
    case connected
    /// An event stream that was lost is open again.
    case reconnected(String)
    case failed(String)
    case mismatched(String)
}
