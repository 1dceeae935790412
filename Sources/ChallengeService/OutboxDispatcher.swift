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

/// Sends what was committed together with a change, until it has arrived: woken by a signal, idle otherwise.
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
    private let lanes = Dictionary(
        uniqueKeysWithValues: OutboxRecord.Receiver.allCases.map { ($0, Lane(receiver: $0)) })

    /// What goes to one receiver: it has a loop and a bound of its own.
    private final class Lane: Sendable {
        let receiver: OutboxRecord.Receiver
        let signal = ChangeSignal()
        let underWay = Mutex<Set<Int64>>([])

        init(receiver: OutboxRecord.Receiver) { self.receiver = receiver }
    }

    init(
        _ given: ChallengeService.Dependencies, configuration: ChallengeConfiguration, metrics: ChallengeMetrics,
        deadlines: Deadlines
    ) {
        store = given.store
        caller = given.caller
        sealer = given.sealer
        logger = given.logger
        now = given.now
        self.configuration = configuration
        self.metrics = metrics
        self.deadlines = deadlines
    }

    /// Something is due, now or later.
    func schedule(for receiver: OutboxRecord.Receiver, at time: Timestamp) {
        if time <= now() { lanes[receiver]?.signal.advance() } else { deadlines.add(.outbox, at: time) }
    }

    /// Something may be due now.
    func wake() {
        for lane in lanes.values { lane.signal.advance() }
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for lane in lanes.values { group.addTask { await self.run(lane) } }
        }
    }

    private func run(_ lane: Lane) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let seen = lane.signal.count
                let round = await due(lane)
                for message in round.messages { group.addTask { await self.deliver(message, lane) } }
                if !round.mayHaveMore { await lane.signal.wait(past: seen) }
            }
            // What is under way may end; what has not begun is found again at the next start.
        }
    }

    /// Delivers what is due now and returns when each has been tried.
    func deliverDue() async {
        for lane in lanes.values {
            for message in await due(lane).messages { await deliver(message, lane) }
        }
    }

    /// What was due at one reading.
    private struct Round {
        var messages: [OutboxRecord] = []
        /// All free places were filled: places that became free during the reading have raised no signal.
        var mayHaveMore = false
    }

    private func due(_ lane: Lane) async -> Round {
        let (time, busy) = (now(), lane.underWay.withLock { $0 })
        let free = configuration.deliveriesMax - busy.count
        // Whoever ends wakes the loop.
        guard free > 0 else { return Round() }
        do {
            let messages =
                if store.announcements == nil {
                    try await store.read { [receiver = lane.receiver] records in
                        try records.dueMessages(for: receiver, at: time, limit: free + busy.count)
                    }
                } else {
                    try await store.write { [receiver = lane.receiver, until = time + configuration.deliveryLease] in
                        try $0.leaseDueMessages(for: receiver, at: time, until: until, limit: free)
                    }
                }
            let fresh = messages.filter { !busy.contains($0.sequence) }.prefix(free)
            lane.underWay.withLock { $0.formUnion(fresh.map(\.sequence)) }
            return Round(messages: Array(fresh), mayHaveMore: fresh.count == free)
        } catch {
            logger.error("outbox not read", metadata: ["error": "\(error)"])
            deadlines.add(.outbox, at: time + configuration.retryFirst)
            return Round()
        }
    }

    private func deliver(_ message: OutboxRecord, _ lane: Lane) async {
        let outcome = await send(message)
        metrics.outbox.increment(message.kind.rawValue, outcome.rawValue)
        do {
            switch outcome {
            case .delivered, .dropped: try await store.write { try $0.deleteMessage(message.sequence) }
            case .notSent, .unknown: try await postpone(message, outcome)
            }
        } catch {
            logger.error("outbox not written", metadata: ["error": "\(error)", "requestId": "\(message.origin)"])
            deadlines.add(.outbox, at: now() + configuration.retryLongest)
        }
        let wasFull = lane.underWay.withLock { busy in
            let wasFull = busy.count >= configuration.deliveriesMax
            busy.remove(message.sequence)
            return wasFull
        }
        if wasFull { lane.signal.advance() }
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
