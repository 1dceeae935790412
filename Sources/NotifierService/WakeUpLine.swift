import Domain
import Logging
import Secrets
import ServiceKit
import Storage
import Synchronization

/// The wake-ups of one transport: leases those that are due, the longest due first and a bounded number at a time, and makes one attempt
/// at each.
final class WakeUpLine: Sendable {
    static let sealingPurpose = "wake-up-address"

    private let transport: PushTransport
    private let push: PushSender
    private let store: any Store<any NotifierRecords>
    /// As the ring was read last.
    private let sealer: Mutex<Sealer>
    private let configuration: NotifierConfiguration
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let pause: @Sendable (Duration) async throws -> Void
    /// Something may be due, or a place has become free.
    private let signal = ChangeSignal()
    private let underWay = Mutex(0)
    /// Between two looks for what another process left behind; nil where there is no other.
    private let lookPause: Duration?

    init(
        _ transport: PushTransport, _ given: NotifierService.Dependencies, push: PushSender,
        configuration: NotifierConfiguration
    ) {
        self.transport = transport
        self.push = push
        store = given.store
        sealer = Mutex(given.sealer)
        logger = given.logger
        now = given.now
        pause = given.pause
        self.configuration = configuration
        lookPause = given.store.announcements == nil ? nil : configuration.leaseLookPause
    }

    func wake() { signal.advance() }

    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let seen = signal.count
                switch await next() {
                case .send(let wakeUps):
                    underWay.withLock { $0 += wakeUps.count }
                    for wakeUp in wakeUps { group.addTask { await self.deliver(wakeUp) } }
                case .wait(nil): await signal.wait(past: seen)
                case .wait(let rest?): _ = await signal.wait(past: seen) { [pause] in try await pause(rest) }
                }
            }
        }
    }

    private enum Next {
        case send([WakeUpRecord])
        /// Nothing more is to be done before somebody says so, or before this has passed.
        case wait(Duration?)
    }

    private func next() async -> Next {
        let free = configuration.sendersMax - underWay.withLock(\.self)
        // Whoever makes room wakes the line.
        guard free > 0 else { return .wait(nil) }
        let (transport, time) = (transport, now())
        do {
            guard let due = try await store.read({ try $0.nextWakeUpDue(transport) }) else { return .wait(lookPause) }
            guard due <= time else { return .wait(lookPause.map { min($0, due - time) } ?? due - time) }
            let until = time + configuration.wakeUpLease
            let leased = try await store.write { try $0.leaseWakeUps(transport, at: time, until: until, limit: free) }
            // Another process holds what is due at this very moment.
            return leased.isEmpty ? .wait(configuration.readPause) : .send(leased)
        } catch {
            if !Task.isCancelled { logger.warning("owed wake-ups not read", metadata: ["error": "\(error)"]) }
            return .wait(configuration.readPause)
        }
    }

    private func deliver(_ wakeUp: WakeUpRecord) async {
        await attempt(wakeUp)
        // Not for each one: many places are filled by one look at the store.
        let makesRoom = underWay.withLock { number in
            number -= 1
            return number == configuration.sendersMax * 3 / 4 || number == 0
        }
        if makesRoom { signal.advance() }
    }

    private func attempt(_ wakeUp: WakeUpRecord) async {
        let start = now()
        // A process that was stopped since it got the lease must not send what another may be sending by now.
        guard start + configuration.sendTimeout <= wakeUp.dueAt else { return }
        // Its last attempt may have rung, although nobody wrote down what became of it.
        guard start < wakeUp.expiresAt, wakeUp.attempts <= configuration.attemptsMax else {
            return await end(wakeUp, nil, mayHaveRung: true)
        }
        guard let address = address(of: wakeUp) else {
            // For another, who has the key.
            return await putOff(wakeUp, to: start + configuration.leaseLookPause, isAttempt: false, nil)
        }
        let aim = PushAim(
            wakeUp: WakeUp(
                tenant: wakeUp.tenant, challenge: wakeUp.challenge, device: wakeUp.device, expiresAt: wakeUp.expiresAt,
                isWithdrawal: wakeUp.stage == .withdraw),
            transport: transport, address: address)
        let timeout = min(configuration.sendTimeout, wakeUp.expiresAt - start)
        guard let attempt = await push.attempt(aim, timeout: timeout) else {
            return await end(wakeUp, DeliveryRecord(wakeUp, outcome: "no_driver", at: start, latency: .zero))
        }
        guard !attempt.isInterrupted else {
            // What the end of this process interrupted is the next one's to try, at once. The phone may have been rung.
            return await putOff(wakeUp, to: start, isAttempt: attempt.report.isAsked, nil)
        }
        await conclude(wakeUp, attempt)
        if attempt.report.outcome == .expiredAddress { await push.drop(aim) }
    }

    private func conclude(_ wakeUp: WakeUpRecord, _ attempt: PushAttempt) async {
        let (time, report) = (now(), attempt.report)
        guard let wait = configuration.wait(after: report.outcome, attempt: wakeUp.attempts),
            time + wait < wakeUp.expiresAt
        else {
            return await end(
                wakeUp, attempt.delivery, mayHaveRung: report.outcome.mayHaveRung(attempt: wakeUp.attempts))
        }
        // A provider that was not asked is no attempt.
        await putOff(wakeUp, to: time + wait, isAttempt: report.isAsked, report.isAsked ? attempt.delivery : nil)
    }

    /// Nil when it was sealed under a key that the ring does not have. Another notifier may have read a newer one, so it is read again.
    private func address(of wakeUp: WakeUpRecord) -> Redacted<[UInt8]>? {
        let known = sealer.withLock(\.self)
        do throws(SecretsError) {
            if let address = try? known.open(wakeUp.sealedAddress, for: Self.sealingPurpose) {
                return Redacted(address)
            }
            let reread = try known.reread()
            let address = try reread.open(wakeUp.sealedAddress, for: Self.sealingPurpose)
            sealer.withLock { $0 = reread }
            return Redacted(address)
        } catch {
            logger.error("a push address cannot be opened", metadata: ["challenge": "\(wakeUp.challenge)"])
            return nil
        }
    }

    /// Due again later, with this attempt counted and written down, or as if it had not been made.
    private func putOff(
        _ wakeUp: WakeUpRecord, to time: Timestamp, isAttempt: Bool, _ delivery: DeliveryRecord?
    ) async {
        var later = wakeUp
        later.dueAt = time
        if !isAttempt { later.attempts -= 1 }
        let postponed = later
        if let delivery { push.count(delivery, wakeUp.stage == .withdraw ? .withdraw : .ring) }
        await write(wakeUp.challenge) { records in
            if let delivery { try records.append(delivery) }
            try records.postpone(postponed)
        }
        signal.advance()
    }

    /// Writes the last attempt down, if one was made, and with it that nothing is owed any more. A device that may have been rung must
    /// hear of the request's end, if it ends before it expires.
    private func end(_ wakeUp: WakeUpRecord, _ delivery: DeliveryRecord?, mayHaveRung: Bool = false) async {
        if let delivery { push.count(delivery, wakeUp.stage == .withdraw ? .withdraw : .ring) }
        let time = now()
        let isKept = mayHaveRung && wakeUp.stage == .ring && time < wakeUp.expiresAt
        await write(wakeUp.challenge) { records in
            if let delivery { try records.append(delivery) }
            if isKept { try records.keep(wakeUp, at: time) } else { try records.finish(wakeUp) }
        }
        // The request may have ended meanwhile: then the phone is due to be told.
        if isKept { signal.advance() }
    }

    /// What cannot be written is logged; the wake-up is due again when its lease is over.
    private func write(
        _ challenge: ChallengeID, _ body: @escaping @Sendable (any NotifierRecords) throws -> Void
    ) async {
        // Unstructured, because a store refuses whoever was cancelled, and what was sent must be written down all the same.
        let result = await Task { [store] in try await store.write(body) }.result
        if case .failure(let error) = result {
            logger.warning("delivery not recorded", metadata: ["challenge": "\(challenge)", "error": "\(error)"])
        }
    }
}
