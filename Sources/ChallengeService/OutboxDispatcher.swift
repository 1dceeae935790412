import Domain
import Logging
import Messaging
import Secrets
import ServiceKit
import Storage
import SwiftProtobuf
import Synchronization
import Telemetry
import Wire

/// Sends what was committed together with a change, until it has arrived: woken by a signal, idle otherwise (`OutboxLane`).
///
/// At least once: a crash between the call and the deletion repeats it under the same request id, and both receivers take a
/// repeat as one.
final class OutboxDispatcher: Sendable {
    static let sealingPurpose = "challenge-outbox"

    private let store: any Store<any ChallengeRecords>
    private let caller: any ServiceCaller
    private let sealer: Sealer
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let configuration: ChallengeConfiguration
    private let metrics: ChallengeMetrics
    private let deadlines: Deadlines
    private let lanes: [OutboxRecord.Receiver: Lane]
    /// Whether other processes look into the outbox too.
    private let isShared: Bool

    /// A lane with the word that something is there for it.
    private final class Lane: Sendable {
        let receiver: OutboxRecord.Receiver
        let signal = ChangeSignal()
        /// Advances when something was delivered.
        let ended = ChangeSignal()
        let state: Mutex<OutboxLane>

        init(receiver: OutboxRecord.Receiver, places: Int) {
            self.receiver = receiver
            state = Mutex(OutboxLane(places: places))
        }
    }

    init(
        _ given: ChallengeService.Dependencies, configuration: ChallengeConfiguration, metrics: ChallengeMetrics,
        deadlines: Deadlines
    ) {
        store = given.store
        isShared = given.store.announcements != nil
        caller = given.caller
        sealer = given.sealer
        logger = given.logger
        now = given.now
        self.configuration = configuration
        self.metrics = metrics
        self.deadlines = deadlines
        lanes = Dictionary(
            uniqueKeysWithValues: OutboxRecord.Receiver.allCases.map {
                ($0, Lane(receiver: $0, places: configuration.deliveriesMax))
            })
    }

    /// The turn of a transaction at `time` whose messages this process sends itself once it is committed. Where several share the store
    /// they are this one's from the beginning: nobody has to lease them.
    func turn(at time: Timestamp) -> OutboxTurn {
        let places = lanes[.notifier]?.state.withLock(\.free) ?? 0
        return OutboxTurn(places: places, due: isShared ? time + configuration.deliveryLease : time)
    }

    /// Sends what was committed in a transaction's turn.
    func handOver(_ messages: [OutboxRecord]) {
        for (receiver, messages) in Dictionary(grouping: messages, by: \.kind.receiver) {
            guard let lane = lanes[receiver] else { continue }
            lane.state.withLock { $0.handOver(messages) }
            lane.signal.advance()
        }
    }

    /// Something is due, now or later.
    func schedule(for receiver: OutboxRecord.Receiver, at time: Timestamp) {
        guard time <= now() else { return deadlines.add(.outbox, at: time) }
        if let lane = lanes[receiver] { look(lane) }
    }

    /// Something may be due now.
    func wake() {
        for lane in lanes.values { look(lane) }
    }

    private func look(_ lane: Lane) {
        lane.state.withLock { $0.look() }
        lane.signal.advance()
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for lane in lanes.values {
                group.addTask { await self.run(lane) }
                group.addTask { await self.keepDeleting(lane) }
            }
        }
    }

    private func run(_ lane: Lane) async {
        await withDiscardingTaskGroup { group in
            lane.state.withLock { $0.open() }
            while !Task.isCancelled {
                let seen = lane.signal.count
                let (messages, looks) = lane.state.withLock { $0.take() }
                for message in messages { group.addTask { await self.deliver(message, lane) } }
                if looks { group.addTask { await self.findDue(lane) } }
                await lane.signal.wait(past: seen)
            }
            // What is under way may end; what has not begun is found again at the next start.
            lane.state.withLock { $0.close() }
        }
    }

    /// Deletes what was delivered, several at a time: nobody waits for it, and until then it is sent to nobody again.
    private func keepDeleting(_ lane: Lane) async {
        while !Task.isCancelled {
            let seen = lane.ended.count
            if await delete(lane) { continue }
            await lane.ended.wait(past: seen)
            try? await Task.sleep(for: configuration.deletionPause)
        }
    }

    /// Delivers what is due now and returns when each has been tried.
    func deliverDue() async {
        for lane in lanes.values {
            await findDue(lane, evenClosed: true)
            for message in lane.state.withLock({ $0.take() }).messages { await deliver(message, lane) }
            await delete(lane)
        }
    }

    private func findDue(_ lane: Lane, evenClosed: Bool = false) async {
        let time = now()
        guard let (limit, known) = lane.state.withLock({ $0.beginLook(evenClosed: evenClosed) }) else { return }
        var found: [OutboxRecord] = []
        // What this process has is among what a reading finds, and was leased before.
        let rows = isShared ? limit : limit + known
        do {
            if isShared {
                let until = time + configuration.deliveryLease
                found = try await store.write { [receiver = lane.receiver] records in
                    try records.leaseDueMessages(for: receiver, at: time, until: until, limit: rows)
                }
            } else {
                found = try await store.read { [receiver = lane.receiver] records in
                    try records.dueMessages(for: receiver, at: time, limit: rows)
                }
            }
        } catch {
            if !Task.isCancelled { logger.error("outbox not read", metadata: ["error": "\(error)"]) }
            deadlines.add(.outbox, at: time + configuration.retryFirst)
        }
        let messages = found
        lane.state.withLock { $0.endLook(messages, limit: limit, isFull: messages.count >= rows) }
        lane.signal.advance()
    }

    private func deliver(_ message: OutboxRecord, _ lane: Lane) async {
        let outcome = await send(message)
        metrics.outbox.increment(message.kind.rawValue, outcome.rawValue)
        let isDelivered = outcome == .delivered || outcome == .dropped
        do {
            if !isDelivered { try await postpone(message, outcome) }
        } catch {
            logger.error("outbox not written", metadata: ["error": "\(error)", "requestId": "\(message.origin)"])
            deadlines.add(.outbox, at: now() + configuration.retryLongest)
        }
        if lane.state.withLock({ $0.end(message, isDelivered: isDelivered) }) { lane.signal.advance() }
        if isDelivered { lane.ended.advance() }
    }

    /// Returns whether there was something to delete. What cannot be deleted is found, and delivered, again.
    @discardableResult
    private func delete(_ lane: Lane) async -> Bool {
        let sequences = lane.state.withLock(\.deletable)
        guard !sequences.isEmpty else { return false }
        do {
            try await store.write { for sequence in sequences { try $0.deleteMessage(sequence) } }
            lane.state.withLock { $0.forget(sequences, areDeleted: true) }
        } catch {
            lane.state.withLock { $0.forget(sequences, areDeleted: false) }
            if !Task.isCancelled { logger.error("outbox not deleted", metadata: ["error": "\(error)"]) }
            deadlines.add(.outbox, at: now() + configuration.retryLongest)
        }
        return true
    }

    /// `unknown`: it was sent, and may or may not have arrived.
    private enum Outcome: String { case delivered, notSent, unknown, dropped }

    private func send(_ message: OutboxRecord) async -> Outcome {
        if message.kind == .nothing { return .delivered }
        if let end = message.usefulUntil, end <= now() { return .dropped }
        // It ended while the notifier was away: its phones would be rung for nothing.
        if message.isOver { return .dropped }
        do {
            let body = try sealer.open(message.body, for: Self.sealingPurpose)
            switch message.kind {
            case .notify, .settled: _ = try await caller.call(try Notify(serializedBytes: body), context(message))
            case .confirm: _ = try await caller.call(try ConfirmDevice(serializedBytes: body), context(message))
            case .nothing: break
            }
            return .delivered
        } catch let error as ServiceError where Self.mayGoThroughLater(error) {
            guard error.isOutcomeUnknown else { return .notSent }
            return (message.attemptsLeft ?? .max) <= 1 ? .dropped : .unknown
        } catch {
            logger.error(
                "outbox message dropped",
                metadata: [
                    "kind": "\(message.kind.rawValue)", "error": "\(Self.phrase(error))",
                    "requestId": "\(message.origin)",
                ])
            return .dropped
        }
    }

    /// Puts the message off for twice the time that it has waited, jittered. An attempt that may have arrived uses one up; one that
    /// found nobody does not.
    private func postpone(_ message: OutboxRecord, _ outcome: Outcome) async throws {
        let waited = max(now() - message.createdAt, configuration.retryFirst)
        var later = message
        if outcome == .unknown { later.attemptsLeft = message.attemptsLeft.map { $0 - 1 } }
        later.dueAt = now() + min(waited * Double.random(in: 0.5...1), configuration.retryLongest)
        let postponed = later
        try await store.write { try $0.postpone(postponed) }
        deadlines.add(.outbox, at: later.dueAt)
    }

    static func mayGoThroughLater(_ error: ServiceError) -> Bool {
        switch error.code {
        case .unavailable, .overloaded, .internal: true
        default: false
        }
    }

    /// Of an error that is not ours, only its kind: what it holds may be secret.
    private static func phrase(_ error: any Error) -> String {
        (error as? ServiceError).map(\.code.name) ?? String(describing: type(of: error))
    }

    private func context(_ message: OutboxRecord) -> CallContext {
        var context = Self.context(
            message.kind, message.challenge, origin: message.origin, timeout: configuration.deliveryTimeout)
        context.trace = message.trace.flatMap { TraceContext(traceparent: $0) } ?? .none
        return context
    }

    /// The same request id whoever sends it and however often: the effect belongs to the challenge.
    static func context(_ kind: OutboxRecord.Kind, _ challenge: ChallengeID, origin: RequestID, timeout: Duration)
        -> CallContext
    {
        let digest = sha256(Array("\(kind.rawValue) \(challenge.rawValue)".utf8))
        return CallContext(
            requestID: RequestID(idempotencyDigest: digest), originID: origin, deadline: .now + timeout)
    }
}
