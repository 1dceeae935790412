import ArgumentParser
import Authenticator
import Foundation

struct ListenCommand: PhoneSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "listen", abstract: "Shows requests as they come, and asks for the number.",
        discussion: """
            Type the number to approve, d to decline, r to report a request that is not yours, or an empty line to put it aside. Connections that
            are lost are opened again. Without a terminal, or with --json, requests are only printed: settle them with `approve`, `decline` and
            `report`.
            """)

    @ParentCommand var root: PhoneCommand
    @OptionGroup var options: PhoneOptions
    @OptionGroup var account: AccountOptions
    @Flag(help: "End after one request: when it is answered, or printed where nobody is asked.") var once = false
    @Option(
        help: ArgumentHelp("End after so long; with --once and nothing come, with exit code 75.", valueName: "seconds"))
    var timeout: Int?

    func validate() throws {
        if let timeout, !(1...31_536_000).contains(timeout) { throw ValidationError("--timeout is at least 1 s.") }
    }

    func perform(_ phone: Phone) async throws {
        let accounts = try await phone.accounts(account)
        let (inputs, source) = AsyncStream.makeStream(of: ListenInput.self)
        if phone.screen.isInteractive { LineReader.start { source.yield($0.map(ListenInput.line) ?? .linesEnded) } }
        let conversation = Conversation(phone: phone, accounts: accounts, isOnce: once)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            for account in accounts {
                group.addTask {
                    do throws(AuthenticatorError) {
                        try await phone.authenticator.listen(account.id) { source.yield(.event(account, $0)) }
                    } catch {
                        source.yield(.ended(account, error))
                    }
                }
            }
            if let timeout {
                group.addTask {
                    try await Task.sleep(for: .seconds(timeout))
                    source.yield(.timedOut)
                }
            }
            try await conversation.run(inputs)
        }
    }
}

enum ListenInput: Sendable {
    case event(Account, AuthenticatorEvent)
    case ended(Account, AuthenticatorError)
    case line(String)
    case linesEnded
    case timedOut
}

/// Lines of standard input as they are typed. A thread of its own, because reading blocks; it ends with the process.
enum LineReader {
    static func start(_ onLine: @escaping @Sendable (String?) -> Void) {
        Thread.detachNewThread {
            while let line = readLine() { onLine(line) }
            onLine(nil)
        }
    }
}

/// One request after the other: shows it, takes the person's lines, answers.
final class Conversation {
    private let phone: Phone
    private let isOnce: Bool
    private var listening: Set<Account.ID>
    private var waiting: [(Challenge, Account)] = []
    private var current: (ShownChallenge, Account)?

    init(phone: Phone, accounts: [Account], isOnce: Bool) {
        self.phone = phone
        self.isOnce = isOnce
        listening = Set(accounts.map(\.id))
    }

    func run(_ inputs: AsyncStream<ListenInput>) async throws {
        for await input in inputs {
            let isDone: Bool
            switch input {
            case .event(let account, let event): isDone = take(event, of: account)
            case .line(let line): isDone = try await answer(line.trimmingCharacters(in: .whitespaces))
            case .linesEnded: isDone = false
            case .ended(let account, let error):
                // One account that is gone does not end the others; the last one's end is the command's.
                listening.remove(account.id)
                if listening.isEmpty { throw error }
                phone.screen.complain(PhoneFailure(error, file: ""))
                isDone = false
            case .timedOut:
                if isOnce { throw PhoneFailure(75, "no request came in time", word: "timeout") }
                isDone = true
            }
            if isDone { return }
        }
    }

    private func take(_ event: AuthenticatorEvent, of account: Account) -> Bool {
        switch event {
        case .connected:
            report(
                ConnectionLine(event: "connected", account: account.id.rawValue),
                "Listening for \(account.username) at \(account.tenantName).")
        case .disconnected(let error, let wait):
            report(
                ConnectionLine(
                    event: "disconnected", account: account.id.rawValue, detail: error.description,
                    retryAfterMilliseconds: Int64(wait / .milliseconds(1))),
                "\(error); trying again.")
        case .challenge(let challenge):
            guard phone.screen.isInteractive else {
                _ = phone.screen.show(challenge, of: account)
                return isOnce
            }
            waiting.append((challenge, account))
            showNext()
        case .settled(let id, let status):
            report(SettledLine(account: account.id.rawValue, id: id, status: status), nil)
            waiting.removeAll { $0.0.id == id }
            guard let current, current.0.challenge.id == id else { return false }
            phone.screen.say("\nThe request was settled: \(status).")
            self.current = nil
            showNext()
        }
        return false
    }

    private func report(_ line: some Encodable, _ text: String?) {
        if phone.screen.isJSON { phone.screen.write(line) } else if let text { phone.screen.say(text) }
    }

    private func showNext() {
        guard current == nil, let (challenge, account) = waiting.first else { return }
        waiting.removeFirst()
        current = (phone.screen.show(challenge, of: account), account)
        phone.screen.ask("Number (d declines, r reports): ")
    }

    private func answer(_ line: String) async throws -> Bool {
        guard let (shown, _) = current else { return false }
        guard !line.isEmpty else {
            current = nil
            phone.screen.say("Put aside; it expires by itself.")
            showNext()
            return false
        }
        do {
            let outcome = try await phone.authenticator.answer(shown, with: Self.answer(line))
            phone.screen.show(outcome, id: shown.challenge.id)
            guard outcome != .wrongNumberTryAgain else {
                phone.screen.ask("Number: ")
                return false
            }
        } catch AuthenticatorError.invalidNumber {
            phone.screen.ask("The number has \(shown.content.numberDigits) digits: ")
            return false
        } catch {
            phone.screen.complain(PhoneFailure(error, file: ""))
        }
        current = nil
        if isOnce { return true }
        showNext()
        return false
    }

    private static func answer(_ line: String) -> Answer {
        switch line.lowercased() {
        case "d", "decline": .decline
        case "r", "report": .report
        default: .approve(number: line)
        }
    }
}
