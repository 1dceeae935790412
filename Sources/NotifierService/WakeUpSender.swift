import Domain
import ServiceKit

/// Sends the wake-ups that are owed, apart from the requests that ask for them: a slow provider holds up nobody.
///
/// The store is the queue, also of several notifiers: each wake-up is leased to one of them, who alone may put it off or end it. It is
/// at least once: one that a killed process did not end is sent by the next that finds its lease over; if it was sent already, the
/// phone shows both as one, because a driver gives them the same collapse id.
final class WakeUpSender: Sendable {
    /// Each transport has its own, so that a provider that is slow holds up the wake-ups of no other.
    private let lines: [PushTransport: WakeUpLine]
    private let push: PushSender
    /// A device has got another's place of its request: it may be another transport's.
    private let passed: ChangeSignal

    init(_ given: NotifierService.Dependencies, push: PushSender, configuration: NotifierConfiguration) {
        self.push = push
        let passed = ChangeSignal()
        self.passed = passed
        let transports = PushTransport.allCases.filter { $0 != .none }
        lines = Dictionary(
            uniqueKeysWithValues: transports.map { transport in
                (transport, WakeUpLine(transport, given, push: push, configuration: configuration, passed: passed))
            })
    }

    func hasDriver(_ transport: PushTransport, for tenant: TenantID) -> Bool {
        push.hasDriver(transport, for: tenant)
    }

    /// Whether a phone of this tenant can be rung at all.
    func hasDriver(for tenant: TenantID) -> Bool { lines.keys.contains { push.hasDriver($0, for: tenant) } }

    /// More is owed: it has been committed.
    func wake() { for line in lines.values { line.wake() } }

    /// Sends what is owed until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for line in lines.values { group.addTask { await line.run() } }
            group.addTask {
                while !Task.isCancelled {
                    let seen = self.passed.count
                    self.wake()
                    await self.passed.wait(past: seen)
                }
            }
        }
    }
}
