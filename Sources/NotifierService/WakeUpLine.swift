import Domain
import Logging
import Secrets
import ServiceKit
import Storage
import Synchronization

/// The wake-ups of one transport: leases those that are due, the longest due first and a bounded number at a time, and makes one attempt
/// at each, unless its party is slow and holds its share of the places.
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
    /// A device has got another's place of its request, perhaps in another line.
    private let passed: ChangeSignal
    private let places: Mutex<PlaceShares>
    /// Dead addresses that registration is being told of.
    private let drops = Mutex(0)
    /// Between two looks for what another process left behind; nil where there is no other.
    private let lookPause: Duration?

    init(
        _ transport: PushTransport, _ given: NotifierService.Dependencies, push: PushSender,
        configuration: NotifierConfiguration, passed: ChangeSignal
    ) {
        self.passed = passed
        self.transport = transport
        self.push = push
        store = given.store
        sealer = Mutex(given.sealer)
        logger = given.logger
        now = given.now
        pause = given.pause
        self.configuration = configuration
        places = Mutex(PlaceShares(placesMax: configuration.sendersMax, slowAfter: configuration.slowAfter))
        lookPause = given.store.announcements == nil ? nil : configuration.leaseLookPause
    }

    func wake() { signal.advance() }

    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let seen = signal.count
                switch await next() {
                case .send(let wakeUps):
                    let leased = wakeUps.map(take)
                    for one in leased where one.place != nil || one.isOver {
                        group.addTask { await self.deliver(one) }
                    }
                    await passOver(leased.filter { $0.place == nil && !$0.isOver }.map(\.wakeUp))
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
        let (transport, time) = (transport, now())
        let free = places.withLock { $0.room(at: time) }
        // Whoever makes room wakes the line; who makes none is slow by then.
        guard free > 0 else { return .wait(configuration.slowAfter) }
        do {
            guard let due = try await store.read({ try $0.nextWakeUpDue(transport) }) else { return .wait(lookPause) }
            guard due <= time else { return .wait(lookPause.map { min($0, due - time) } ?? due - time) }
            let until = time + configuration.wakeUpLease
            let (leased, lost) = try await store.write { records in
                let leased = try records.leaseWakeUps(transport, at: time, until: until, limit: free)
                // With the lease, so that it is done once.
                let lost = leased.compactMap { $0.lostAttempt(at: time) }
                for attempt in lost { try records.append(attempt.delivery) }
                return (leased, lost)
            }
            for attempt in lost { push.count(attempt.delivery, attempt.purpose) }
            // Another process holds what is due at this very moment.
            return leased.isEmpty ? .wait(configuration.readPause) : .send(leased)
        } catch {
            if !Task.isCancelled { logger.warning("owed wake-ups not read", metadata: ["error": "\(error)"]) }
            return .wait(configuration.readPause)
        }
    }

    /// One that was leased.
    private struct Leased: Sendable {
        let wakeUp: WakeUpRecord
        /// Nil when it cannot be opened.
        let address: Redacted<[UInt8]>?
        /// Nil when there is no driver for the tenant either.
        let route: PushRoute?
        /// Nil when its party holds its share.
        let place: (party: String, takenAt: Timestamp)?
        /// Its request has ended by expiry: nothing is sent.
        let isOver: Bool
    }

    private func take(_ wakeUp: WakeUpRecord) -> Leased {
        let (time, address) = (now(), address(of: wakeUp))
        let route = address.flatMap { push.route(transport, to: $0, of: wakeUp.tenant) }
        // Those that nothing is sent to are of none in particular.
        let party = route?.party ?? ""
        let isEntered = places.withLock { $0.enter(party, at: time) }
        return Leased(
            wakeUp: wakeUp, address: address, route: route, place: isEntered ? (party, time) : nil,
            isOver: wakeUp.expiresAt <= time)
    }

    /// They are looked at again when a place may have become free, and until then stand behind those of other parties.
    private func passOver(_ wakeUps: [WakeUpRecord]) async {
        guard let first = wakeUps.first else { return }
        let time = now() + configuration.slowAfter
        await write(first.challenge) { records in
            for wakeUp in wakeUps { try records.postpone(wakeUp.later(time, isAttempt: false)) }
        }
    }

    private func deliver(_ leased: Leased) async {
        let dead = await attempt(leased.wakeUp, to: leased.address, over: leased.route)
        if let place = leased.place { giveBack(place) }
        // Registration may take its time, of which the provider's places know nothing.
        if let dead { await drop(dead) }
    }

    private func giveBack(_ place: (party: String, takenAt: Timestamp)) {
        let time = now()
        // Not for each one: many places are filled by one look at the store.
        let makesRoom = places.withLock { places in
            let (few, before) = (max(1, places.placesMax / 8), places.room(at: time))
            places.leave(place.party, since: place.takenAt, at: time)
            return places.taken == 0 || before < few && places.room(at: time) >= few
        }
        if makesRoom { signal.advance() }
    }

    /// Where it was sent, when the provider does not know that address any more.
    private func attempt(
        _ wakeUp: WakeUpRecord, to address: Redacted<[UInt8]>?, over route: PushRoute?
    ) async -> PushAim? {
        let (start, isTried) = (now(), wakeUp.attempts > 1)
        // A process that was stopped since it got the lease must not send what another may be sending by now. It has not tried.
        guard start + configuration.sendTimeout <= wakeUp.dueAt else {
            await putOff(wakeUp, to: wakeUp.dueAt, isAttempt: false, nil)
            return nil
        }
        guard start < wakeUp.expiresAt else {
            // What was tried is written down.
            let delivery = isTried ? nil : DeliveryRecord(wakeUp, .expired, at: start)
            await end(wakeUp, delivery, mayHaveRung: isTried)
            return nil
        }
        guard wakeUp.attempts <= configuration.attemptsMax else {
            // Its last attempt was lost with its process, which is written down, and may have rung.
            await end(wakeUp, nil, mayHaveRung: true)
            return nil
        }
        guard let address else {
            // For another, who has the key.
            await putOff(wakeUp, to: start + configuration.leaseLookPause, isAttempt: false, nil)
            return nil
        }
        guard let route else {
            await end(wakeUp, DeliveryRecord(wakeUp, .noDriver, at: start), mayHaveRung: isTried)
            return nil
        }
        return await attempt(wakeUp, to: address, over: route, at: start)
    }

    private func attempt(
        _ wakeUp: WakeUpRecord, to address: Redacted<[UInt8]>, over route: PushRoute, at start: Timestamp
    ) async -> PushAim? {
        let aim = PushAim(
            wakeUp: WakeUp(
                tenant: wakeUp.tenant, challenge: wakeUp.challenge, device: wakeUp.device, expiresAt: wakeUp.expiresAt,
                isWithdrawal: wakeUp.stage == .withdraw),
            transport: transport, address: address)
        let timeout = min(configuration.sendTimeout, wakeUp.expiresAt - start)
        let attempt = await push.attempt(aim, over: route, timeout: timeout)
        guard !attempt.isInterrupted else {
            await leave(wakeUp, attempt, since: start)
            return nil
        }
        await conclude(wakeUp, attempt)
        return attempt.report.dropsAddress ? aim : nil
    }

    /// Has registration forget a dead address. Of more than may be under way the device's next wake-up finds the same.
    private func drop(_ aim: PushAim) async {
        let isEntered = drops.withLock { drops in
            guard drops < configuration.dropsMax else { return false }
            drops += 1
            return true
        }
        guard isEntered else {
            return logger.warning("dead push address not dropped", metadata: ["device": "\(aim.wakeUp.device)"])
        }
        await push.drop(aim)
        drops.withLock { $0 -= 1 }
    }

    /// What the end of this process interrupted is the next one's to try, at once, unless it was the last try. The phone may have been rung.
    private func leave(_ wakeUp: WakeUpRecord, _ attempt: PushAttempt, since start: Timestamp) async {
        guard attempt.report.isAsked else { return await putOff(wakeUp, to: start, isAttempt: false, nil) }
        guard wakeUp.attempts < configuration.attemptsMax else {
            return await end(wakeUp, attempt.delivery, mayHaveRung: true)
        }
        await putOff(wakeUp, to: start, isAttempt: true, attempt.delivery)
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
        if let delivery { push.count(delivery, PushPurpose(wakeUp.stage)) }
        await write(wakeUp.challenge) { records in
            if let delivery { try records.append(delivery) }
            try records.postpone(wakeUp.later(time, isAttempt: isAttempt))
        }
        signal.advance()
    }

    /// Writes the last attempt down, if one was made, and with it that nothing is owed any more. A device that may have been rung must
    /// hear of the request's end, if it ends before it expires; the place of one that cannot have been is another's.
    private func end(_ wakeUp: WakeUpRecord, _ delivery: DeliveryRecord?, mayHaveRung: Bool) async {
        if let delivery { push.count(delivery, PushPurpose(wakeUp.stage)) }
        let time = now()
        let isRing = wakeUp.stage == .ring
        let isKept = isRing && mayHaveRung && time < wakeUp.expiresAt
        let isPassed = await write(wakeUp.challenge) { records in
            if let delivery { try records.append(delivery) }
            if isRing, !mayHaveRung { return try records.passPlace(of: wakeUp, at: time) }
            if isKept { try records.keep(wakeUp, at: time) } else { try records.finish(wakeUp) }
            return false
        }
        if isPassed == true { passed.advance() }
        // The request may have ended meanwhile: then the phone is due to be told.
        if isKept { signal.advance() }
    }

    /// What cannot be written is logged, and nil; the wake-up is due again when its lease is over.
    @discardableResult
    private func write<Value: Sendable>(
        _ challenge: ChallengeID, _ body: @escaping @Sendable (any NotifierRecords) throws -> Value
    ) async -> Value? {
        // Unstructured, because a store refuses whoever was cancelled, and what was sent must be written down all the same.
        switch await Task(operation: { [store] in try await store.write(body) }).result {
        case .success(let value): return value
        case .failure(let error):
            logger.warning("delivery not recorded", metadata: ["challenge": "\(challenge)", "error": "\(error)"])
            return nil
        }
    }
}

extension WakeUpRecord {
    /// Due at another time. One that was no attempt does not count as one, as its lease has.
    fileprivate func later(_ time: Timestamp, isAttempt: Bool) -> WakeUpRecord {
        var later = self
        later.dueAt = time
        if !isAttempt { later.attempts -= 1 }
        return later
    }
}
