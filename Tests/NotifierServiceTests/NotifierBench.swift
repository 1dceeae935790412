import Domain
import Foundation
import Logging
import Messaging
import NotifierService
import Secrets
import ServiceKit
import Storage
import StorageSQLite
import SwiftProtobuf
import Synchronization
import Telemetry
import TestSupport
import Wire

/// A notifier over a real database, with a clock and drivers that a test sets by hand.
final class NotifierBench: Sendable {
    private let requests = Mutex<UInt64>(0)
    let bus = DirectBus()
    let waits = Waits()
    private let clock = HandClock(Timestamp(seconds: 1_750_000_000))
    let store: SQLiteStore<any NotifierRecords>
    let tenants = FixedTenants(TenantView(id: TenantID("demo"), name: "Demo"))
    let service: NotifierService
    private let folder: URL
    private let make: @Sendable ([any PushDriver], UInt64, Sealer, MetricsRegistry) -> NotifierService
    /// Of the first process.
    let metrics = MetricsRegistry()
    private let sealer: Sealer

    init(
        drivers: [any PushDriver] = [], epoch: UInt64 = 7, sealer: Sealer = .ephemeral(),
        _ change: (inout NotifierConfiguration) -> Void = { _ in }
    ) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("notifier-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = try .notifier(path: folder.appendingPathComponent("notifier.db").path)
        var configuration = NotifierConfiguration()
        change(&configuration)
        let (clock, waits) = (clock, waits)
        self.sealer = sealer
        make = { [store, tenants, bus, configuration] drivers, epoch, sealer, metrics in
            NotifierService(
                .init(
                    store: store, tenants: tenants, caller: bus.caller(.notifier), sealer: sealer,
                    metrics: metrics, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                    now: { clock.now }, drivers: drivers, pause: { try await waits.wait($0) }), epoch: epoch,
                configuration: configuration)
        }
        service = make(drivers, epoch, sealer, metrics)
        bus.add(service.routes)
    }

    /// The next process over the same database; from now on it is the one that is asked.
    func successor(_ drivers: [any PushDriver], sealer: Sealer? = nil) -> NotifierService {
        let successor = make(drivers, 8, sealer ?? self.sealer, MetricsRegistry())
        bus.add(successor.routes)
        return successor
    }

    /// Everything that is on disk.
    func storedBytes() throws -> Data {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).reduce(into: Data()) {
            $0 += try Data(contentsOf: $1)
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var now: Timestamp { clock.now }
    func advance(_ duration: Duration) { clock.advance(duration) }

    /// Lets time pass for whoever waits this long, once somebody does, and `more` of it.
    func pass(_ duration: Duration, more: Duration = .zero) async {
        // Taken before the clock moves: what wakes the waiter otherwise finds the time as it was, and has it wait again.
        let wait = await waits.taken(duration)
        clock.advance(duration + more)
        wait.resume()
    }

    func context() -> CallContext {
        let number = requests.withLock { count in
            count += 1
            return count
        }
        let id = RequestID(high: 7 << 12, low: number)
        return CallContext(requestID: id, originID: id, deadline: .now + .seconds(60))
    }

    // MARK: asking

    func subscribe(_ listener: String, _ devices: [String], complete: Bool = false, remove: [String] = []) async throws
        -> SubscribeReply
    {
        try await bus.caller(.gateway).call(
            Subscribe.with {
                $0.listener = listener
                $0.add = devices
                $0.remove = remove
                $0.complete = complete
            }, context())
    }

    func listen(_ listener: String, after cursor: UInt64 = 0, epoch: UInt64 = 7, wait: UInt32 = 0) async throws
        -> ListenReply
    {
        try await bus.caller(.gateway).call(
            Listen.with {
                $0.listener = listener
                $0.epoch = epoch
                $0.cursor = cursor
                $0.waitMs = wait
            }, context())
    }

    @discardableResult
    func notify(
        _ devices: [String], challenge: String = "c1", event: String = "challenge", transport: String = "none",
        transports: [String]? = nil, lifetime: Duration = .seconds(60), expiresAtMs: Int64? = nil,
        answeredBy: String = "", address: String = "secret-address"
    ) async throws -> NotifyReply {
        let expiresAt = expiresAtMs.map(Timestamp.init(milliseconds:)) ?? now + lifetime
        return try await bus.caller(.challenge).call(
            Notify.with {
                $0.tenant = "demo"
                $0.challengeID = challenge
                $0.event = event
                $0.purpose = "signIn"
                $0.content = Data("{}".utf8)
                $0.expiresAtMs = expiresAt.milliseconds
                $0.answeredBy = answeredBy
                $0.targets = zip(devices, transports ?? devices.map { _ in transport }).map { device, transport in
                    .with {
                        $0.deviceID = device
                        $0.push = .with {
                            $0.transport = transport
                            $0.address = Data(address.utf8)
                        }
                    }
                }
            }, context())
    }

    /// How many attempts of the first process to ring a phone over FCM the metrics count with this outcome.
    func count(_ outcome: String) -> Int {
        let series = "countersign_push_attempts_total{transport=\"fcm\",outcome=\"\(outcome)\",purpose=\"ring\"} "
        let line = metrics.exposition().split(separator: "\n").first { $0.hasPrefix(series) }
        return line.flatMap { Int($0.dropFirst(series.count)) } ?? 0
    }

    func deliveries(_ challenge: String = "") async throws -> [Delivery] {
        try await bus.caller(.gateway).call(
            ListDeliveries.with {
                $0.tenant = "demo"
                $0.challengeID = challenge
            }, context()
        ).deliveries
    }
}

/// Waits that end when the test says so, or when they are cancelled.
final class Waits: Sendable {
    private struct State {
        var next = 0
        var waiting: [Int: (duration: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
    }

    private let state = Mutex(State())

    var durations: [Duration] { state.withLock { $0.waiting.values.map(\.duration) } }

    func wait(_ duration: Duration) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isCancelled = state.withLock { state in
                    guard !Task.isCancelled else { return true }
                    state.waiting[id] = (duration, continuation)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.continuation.resume(throwing: CancellationError())
        }
    }

    /// One wait of this length, once there is one: it ends when it is resumed, and not otherwise.
    func taken(_ duration: Duration) async -> CheckedContinuation<Void, any Error> {
        while true {
            let taken = state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let (id, _) = state.waiting.first(where: { $0.value.duration == duration }) else { return nil }
                return state.waiting.removeValue(forKey: id)?.continuation
            }
            if let taken { return taken }
            await Task.yield()
        }
    }

    /// Returns once somebody waits this long.
    func reached(_ duration: Duration) async {
        while !durations.contains(duration) { await Task.yield() }
    }
}
