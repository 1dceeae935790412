import Authenticator
import AuthenticatorHTTP
import Synchronization

/// One person's phone with a key and an event stream of its own. It answers each request with the number that the page of that
/// request shows, as soon as both are there.
final class SimulatedPhone: Sendable {
    let username: String
    private let authenticator: Authenticator
    private let account: Account.ID
    private let desk: NumberDesk

    init(username: String, authenticator: Authenticator, account: Account.ID, desk: NumberDesk) {
        self.username = username
        self.authenticator = authenticator
        self.account = account
        self.desk = desk
    }

    /// Listens until the task is canceled. `onFailure` hears of every answer that was not an approval.
    func listen(onFailure: @escaping @Sendable (String) -> Void) async {
        do {
            try await authenticator.listen(account) { event in
                guard case .challenge(let challenge) = event else { return }
                do {
                    let number = await self.desk.number(of: challenge.id)
                    let shown = challenge.shown { _ in }
                    let outcome = try await self.authenticator.answer(shown, with: .approve(number: number))
                    if outcome != .approved { onFailure("the answer came back as \(outcome)") }
                } catch {
                    onFailure("answer: \(error)")
                }
            }
        } catch {
            onFailure("event stream: \(error)")
        }
    }
}

/// Where pages lay the number that they show, and phones read it: a phone may hear of a request before its page has the reply.
final class NumberDesk: Sendable {
    private enum Entry {
        case number(String)
        case waiting(CheckedContinuation<String, Never>)
    }
    private let entries = Mutex<[String: Entry]>([:])

    func put(_ number: String, for id: String) {
        let waiting: CheckedContinuation<String, Never>? = entries.withLock { entries in
            if case .waiting(let continuation) = entries.removeValue(forKey: id) { return continuation }
            entries[id] = .number(number)
            return nil
        }
        waiting?.resume(returning: number)
    }

    func number(of id: String) async -> String {
        await withCheckedContinuation { continuation in
            let number: String? = entries.withLock { entries in
                if case .number(let number) = entries.removeValue(forKey: id) { return number }
                entries[id] = .waiting(continuation)
                return nil
            }
            if let number { continuation.resume(returning: number) }
        }
    }
}
