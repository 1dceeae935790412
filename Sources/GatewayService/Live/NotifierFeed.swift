import Domain
import Logging
import Messaging
import ServiceKit
import SwiftProtobuf
import Synchronization
import Wire

/// One notifier instance's events: subscribe to everything, ask again what is open, then listen and keep the subscription current.
final class NotifierFeed: Sendable {
    /// Devices named in one message: far below what fits into one.
    static let devicesPerMessageMax = 2000

    private let instance: InstanceID
    private let listener: String
    private let caller: any ServiceCaller
    private let logger: Logger
    private unowned let hub: LiveHub
    /// Devices whose first stream has opened or whose last one has closed since they were told of.
    private let changes = Mutex<Set<DeviceID>>([])
    /// Wakes the loop that sends changes.
    private let signal = ChangeSignal()
    private let isStopped = Mutex(false)

    init(instance: InstanceID, listener: String, hub: LiveHub, caller: any ServiceCaller, logger: Logger) {
        self.instance = instance
        self.listener = listener
        self.hub = hub
        self.caller = caller
        self.logger = logger
    }

    /// Whether it came or went is decided when it is sent, by what the hub holds then: two calls may overtake each other.
    func changed(_ device: DeviceID) {
        changes.withLock { _ = $0.insert(device) }
        signal.advance()
    }

    /// The instance is gone.
    func stop() {
        isStopped.withLock { $0 = true }
        signal.advance()
    }

    private var mayRun: Bool { !Task.isCancelled && !isStopped.withLock { $0 } }

    func run() async {
        var backOff = BackOff(first: .milliseconds(100), longest: .seconds(2))
        while mayRun {
            do {
                let position = try await subscribeToAll()
                backOff.reset()
                try await follow(from: position)
            } catch {
                guard mayRun else { return }
                logger.info("live events are interrupted", metadata: ["notifier": "\(instance)"])
                // Between two attempts to reach the same instance.
                try? await Task.sleep(for: backOff.next())
            }
        }
    }

    private func subscribeToAll() async throws -> SubscribeReply {
        changes.withLock { $0 = [] }
        let devices = hub.streams.devices
        let rest = devices.dropFirst(Self.devicesPerMessageMax)
        let reply = try await subscribe(isComplete: true, add: devices.prefix(Self.devicesPerMessageMax))
        try await add(rest)
        // What happened before the subscription was heard by nobody.
        await hub.relist(devices)
        return reply
    }

    private func add(_ devices: ArraySlice<DeviceID>) async throws {
        for start in stride(from: devices.startIndex, to: devices.endIndex, by: Self.devicesPerMessageMax) {
            _ = try await subscribe(add: devices[start...].prefix(Self.devicesPerMessageMax))
        }
    }

    private func subscribe(
        isComplete: Bool = false, add: ArraySlice<DeviceID> = [], remove: ArraySlice<DeviceID> = []
    ) async throws -> SubscribeReply {
        try await caller.call(
            Subscribe.with {
                $0.listener = listener
                $0.complete = isComplete
                $0.add = add.map(\.rawValue)
                $0.remove = remove.map(\.rawValue)
            }, at: instance, hub.context())
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
        while mayRun {
            let seen = signal.count
            let taken = changes.withLock { changes in
                defer { changes = [] }
                return changes
            }
            guard !taken.isEmpty else {
                await signal.wait(past: seen)
                continue
            }
            let added = taken.filter { hub.streams.holds($0) }
            let removed = Array(taken.subtracting(added))
            for start in stride(from: 0, to: removed.count, by: Self.devicesPerMessageMax) {
                _ = try await subscribe(remove: removed[start...].prefix(Self.devicesPerMessageMax))
            }
            try await add(Array(added)[...])
            // A request that began between a stream's first list and this subscription was told by neither.
            await hub.relist(Array(added))
        }
        // The instance is gone: its feed ends.
        throw CancellationError()
    }
}
