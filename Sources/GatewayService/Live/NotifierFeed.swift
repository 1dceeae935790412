import Domain
import Logging
import Messaging
import SwiftProtobuf
import Synchronization
import Wire

/// One notifier instance's events: subscribe to everything, ask again what is open, then listen and keep the subscription current.
final class NotifierFeed: Sendable {
    private struct Changes {
        var added: Set<DeviceID> = []
        var removed: Set<DeviceID> = []
    }

    private let instance: InstanceID
    private let listener: String
    private let caller: any ServiceCaller
    private let logger: Logger
    private unowned let hub: LiveHub
    private let changes = Mutex(Changes())
    /// Wakes the loop that sends changes. Made anew each time: a stream whose reader was cancelled never speaks again.
    private let signal = Mutex<AsyncStream<Void>.Continuation?>(nil)
    private let isStopped = Mutex(false)

    init(instance: InstanceID, listener: String, hub: LiveHub, caller: any ServiceCaller, logger: Logger) {
        self.instance = instance
        self.listener = listener
        self.hub = hub
        self.caller = caller
        self.logger = logger
    }

    func add(_ device: DeviceID) {
        changes.withLock {
            $0.removed.remove(device)
            $0.added.insert(device)
        }
        wake()
    }

    func remove(_ device: DeviceID) {
        changes.withLock {
            $0.added.remove(device)
            $0.removed.insert(device)
        }
        wake()
    }

    private func wake() { signal.withLock { _ = $0?.yield() } }

    /// The instance is gone.
    func stop() {
        isStopped.withLock { $0 = true }
        signal.withLock { _ = $0?.finish() }
    }

    private var mayRun: Bool { !Task.isCancelled && !isStopped.withLock { $0 } }

    func run() async {
        var pause = Duration.milliseconds(50)
        while mayRun {
            do {
                let position = try await subscribeToAll()
                pause = .milliseconds(50)
                try await follow(from: position)
            } catch {
                guard mayRun else { return }
                logger.info("live events are interrupted", metadata: ["notifier": "\(instance)"])
                pause = min(pause * 2, .seconds(2))
                // Back-off between two attempts to reach the same instance.
                try? await Task.sleep(for: pause)
            }
        }
    }

    private func subscribeToAll() async throws -> SubscribeReply {
        changes.withLock { $0 = Changes() }
        let devices = hub.streams.devices
        let reply = try await caller.call(
            Subscribe.with {
                $0.listener = listener
                $0.complete = true
                $0.add = devices.map(\.rawValue)
            }, at: instance, hub.context())
        // What happened before the subscription was heard by nobody.
        await hub.relist(devices)
        return reply
    }

    /// Returns when everything has to be subscribed to anew.
    private func follow(from start: SubscribeReply) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.listen(start) }
            group.addTask { try await self.sendChanges() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func listen(_ start: SubscribeReply) async throws {
        var (epoch, cursor) = (start.epoch, start.cursor)
        while mayRun {
            let reply = try await caller.call(
                Listen.with {
                    $0.listener = listener
                    $0.epoch = epoch
                    $0.cursor = cursor
                    $0.waitMs = UInt32(LiveHub.listenWait.milliseconds)
                }, at: instance, hub.context(wait: LiveHub.listenWait + LiveHub.waitMargin))
            for event in reply.events { hub.deliver(event) }
            if reply.resync || reply.epoch != epoch { return }
            (epoch, cursor) = (reply.epoch, reply.cursor)
        }
    }

    private func sendChanges() async throws {
        let (hasChanged, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        signal.withLock { $0 = continuation }
        continuation.yield()
        for await _ in hasChanged where mayRun {
            let taken = changes.withLock { changes in
                defer { changes = Changes() }
                return changes
            }
            guard !taken.added.isEmpty || !taken.removed.isEmpty else { continue }
            _ = try await caller.call(
                Subscribe.with {
                    $0.listener = listener
                    $0.add = taken.added.map(\.rawValue)
                    $0.remove = taken.removed.map(\.rawValue)
                }, at: instance, hub.context())
            // A request that began between a stream's first list and this subscription was told by neither.
            await hub.relist(Array(taken.added))
        }
        // The instance is gone: its feed ends.
        throw CancellationError()
    }
}
