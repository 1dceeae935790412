import DeviceAPI
import Domain
import Logging
import Messaging
import NIOCore
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing
import Wire

@testable import GatewayService

@Suite struct LiveStreamTests {
    private static func listener(_ device: String) -> DeviceStreams.Listener {
        DeviceStreams.Listener(tenant: TenantID("demo"), device: DeviceID(device), person: PersonID("p"))
    }

    private static func request(_ id: String) -> PendingRequest {
        PendingRequest(
            id: id, purpose: .signIn, content: "e30", expiresAt: Timestamp(milliseconds: 1_700_000_060_000))
    }

    private static func text(_ buffer: ByteBuffer?) -> String? { buffer.map { String(buffer: $0) } }

    @Test("a few waits are about one thing, whatever room there is, and no more than that in all")
    func places() throws {
        let parked = ParkedRequests(waitsMax: 20)
        for subject in ["a", "b"] {
            for _ in 0..<ParkedRequests.waitsPerSubject { try parked.enter(subject) }
            #expect(throws: ServiceError.self) { try parked.enter(subject) }
        }
        for number in 0..<4 { try parked.enter("c\(number)") }
        #expect(throws: ServiceError.self) { try parked.enter("d") }
        parked.leave("a")
        try parked.enter("a")
        #expect(parked.count == 20)
    }

    @Test("streams of pages take no place of a phone's")
    func kinds() throws {
        let streams = EventStreams(streamsMax: 2)
        for _ in 0..<5 { _ = try streams.open(StreamMailbox(), counts: false) }
        let first = try streams.open(StreamMailbox(), counts: true)
        _ = try streams.open(StreamMailbox(), counts: true)
        #expect(throws: ServiceError.self) { try streams.open(StreamMailbox(), counts: true) }
        streams.close(first)
        _ = try streams.open(StreamMailbox(), counts: true)
    }

    @Test("twelve thousand listening devices are subscribed in messages that each fit into a frame")
    func manyDevices() async throws {
        let bench = LiveBench()
        let names = (0..<12_000).map { "device-" + String(repeating: "0", count: 15) + "\($0 + 10_000)" }
        for name in names { _ = bench.hub.open(Self.listener(name), StreamMailbox()) }
        try await bench.run { _ in
            try await bench.untilListening()
            let sent = bench.subscriptions
            #expect(sent.allSatisfy { $0.bytes <= BusLimits().frameBytesMax })
            #expect(sent.map(\.isComplete) == [true] + Array(repeating: false, count: sent.count - 1))
            #expect(bench.subscribed == Set(names))
        }
    }

    @Test("devices that come all at once are added in messages that each fit into a frame")
    func manyChanges() async throws {
        let bench = LiveBench()
        try await bench.run { _ in
            try await bench.untilListening()
            let names = Set((0..<12_000).map { "device-" + String(repeating: "0", count: 15) + "\($0 + 10_000)" })
            for name in names { _ = bench.hub.open(Self.listener(name), StreamMailbox()) }
            await bench.until { $0.isSuperset(of: names) }
            #expect(bench.subscriptions.allSatisfy { $0.bytes <= BusLimits().frameBytesMax })
        }
    }

    @Test("a device whose new stream opens while the old one closes stays subscribed")
    func reconnect() async throws {
        let bench = LiveBench()
        let device = DeviceID("d1")
        let old = bench.hub.open(Self.listener("d1"), StreamMailbox())
        try await bench.run { hub in
            try await bench.untilListening()
            // What closing does, with the opening of the new stream in the middle of it.
            #expect(hub.streams.close(old))
            let new = hub.open(Self.listener("d1"), StreamMailbox())
            hub.changed(device)
            await bench.afterChanges(to: hub)
            #expect(bench.subscribed.contains("d1"))
            hub.close(new, device)
            await bench.afterChanges(to: hub)
            #expect(!bench.subscribed.contains("d1"))
        }
    }

    @Test("what has ended is not told by a list that was read before")
    func lateList() async throws {
        let streams = DeviceStreams()
        let mailbox = StreamMailbox()
        _ = streams.open(Self.listener("d1"), mailbox)
        streams.settled(DeviceID("d1"), ChallengeID("c1"), .approved)
        streams.tell(DeviceID("d1"), Self.request("c1"))
        streams.tell(DeviceID("d1"), Self.request("c2"))
        #expect(Self.text(await mailbox.next())?.contains(#""id":"c2""#) == true)
    }

    @Test("of a told challenge each stream hears once that it is settled, also when the word comes twice")
    func settledOnce() async throws {
        let streams = DeviceStreams()
        let mailbox = StreamMailbox()
        _ = streams.open(Self.listener("d1"), mailbox)
        streams.tell(DeviceID("d1"), Self.request("c1"))
        streams.tell(DeviceID("d1"), Self.request("c1"))
        for _ in 0..<2 { streams.settled(DeviceID("d1"), ChallengeID("c1"), .denied) }
        mailbox.end()
        #expect(Self.text(await mailbox.next())?.hasPrefix("event: challenge") == true)
        #expect(Self.text(await mailbox.next())?.hasPrefix("event: settled") == true)
        #expect(Self.text(await mailbox.next()) == nil)
    }

    @Test("a stream that was told of what has ended in a gap is ended, others go on")
    func gap() async throws {
        let bench = LiveBench(pending: ["still-open"])
        let (stale, current) = (StreamMailbox(), StreamMailbox())
        _ = bench.hub.open(Self.listener("d1"), stale)
        _ = bench.hub.open(Self.listener("d2"), current)
        bench.hub.streams.tell(DeviceID("d1"), Self.request("ended"))
        bench.hub.streams.tell(DeviceID("d2"), Self.request("still-open"))
        await bench.hub.relist([DeviceID("d1"), DeviceID("d2")])
        #expect(!stale.send(EventFraming.comment))
        #expect(current.send(EventFraming.comment))
    }

    @Test("a device that lost its right before the gateway heard of any change is not left listening")
    func lostBeforeTheFirstWord() async throws {
        let bench = LiveBench(removed: ["d1"])
        let (removed, current) = (StreamMailbox(), StreamMailbox())
        _ = bench.hub.open(Self.listener("d1"), removed)
        _ = bench.hub.open(Self.listener("d2"), current)
        try await bench.run { _ in
            #expect(await removed.next() == nil)
            #expect(current.send(EventFraming.comment))
        }
    }
}

/// A hub in front of a notifier that remembers who subscribed, and a challenge service with one list for everybody.
private final class LiveBench: Sendable {
    struct Subscription: Sendable {
        let isComplete: Bool
        let bytes: Int
    }

    private struct State {
        var subscriptions: [Subscription] = []
        var devices: Set<String> = []
        var watchers: [(wanted: @Sendable (Set<String>) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    let hub: LiveHub
    private let bus = DirectBus()
    private let state = Mutex(State())
    private let listening = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingOldest(1))

    init(pending: [String] = [], removed: Set<String> = []) {
        hub = LiveHub(
            caller: bus.caller(.gateway), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            callTimeout: .seconds(5), listenerName: "gateway",
            now: { Timestamp(milliseconds: 1_700_000_000_000) })
        addNotifier()
        var challenge = Routes(service: .challenge)
        challenge.on(ListPending.self) { _, _ in
            .with { $0.challenges = pending.map { id in .with { ($0.id, $0.purpose) = (id, "signIn") } } }
        }
        bus.add(challenge)
        var registration = Routes(service: .registration)
        registration.on(WatchDevices.self) { request, _ in
            if request.epoch == 1 { try await Self.park() }
            return .with { ($0.epoch, $0.resync) = (1, true) }
        }
        registration.on(ReadDevice.self) { request, _ in .with { $0.found = !removed.contains(request.deviceID) } }
        bus.add(registration)
    }

    private func addNotifier() {
        var notifier = Routes(service: .notifier)
        notifier.on(Subscribe.self) { [self] request, _ in
            let bytes: [UInt8] = try request.serializedBytes()
            note(request, bytes.count)
            return .with { ($0.epoch, $0.cursor) = (1, 0) }
        }
        notifier.on(Listen.self) { [listening] _, _ in
            listening.continuation.yield()
            try await Self.park()
            return ListenReply()
        }
        bus.add(notifier)
    }

    private func note(_ request: Subscribe, _ bytes: Int) {
        let ready = state.withLock { state in
            state.subscriptions.append(Subscription(isComplete: request.complete, bytes: bytes))
            if request.complete { state.devices = [] }
            state.devices.subtract(request.remove)
            state.devices.formUnion(request.add)
            let ready = state.watchers.filter { $0.wanted(state.devices) }
            state.watchers.removeAll { $0.wanted(state.devices) }
            return ready
        }
        for watcher in ready { watcher.continuation.resume() }
    }

    var subscriptions: [Subscription] { state.withLock { $0.subscriptions } }
    var subscribed: Set<String> { state.withLock { $0.devices } }

    func untilListening() async throws { _ = await listening.stream.first { _ in true } }

    func until(_ wanted: @escaping @Sendable (Set<String>) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isSo = state.withLock { state in
                if wanted(state.devices) { return true }
                state.watchers.append((wanted, continuation))
                return false
            }
            if isSo { continuation.resume() }
        }
    }

    /// Changes are sent in order, some at a time: once those of two more devices are there, all before are.
    func afterChanges(to hub: LiveHub) async {
        for _ in 0..<2 {
            let name = "device \(state.withLock { $0.subscriptions.count })"
            let listener = DeviceStreams.Listener(
                tenant: TenantID("demo"), device: DeviceID(name), person: PersonID("p"))
            _ = hub.open(listener, StreamMailbox())
            await until { $0.contains(name) }
        }
    }

    /// The hub runs while `body` does.
    func run(_ body: @escaping @Sendable (LiveHub) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.hub.run() }
            defer { group.cancelAll() }
            try await body(hub)
        }
    }

    /// Until the call is given up.
    private static func park() async throws {
        let (never, hold) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in never {}
        } onCancel: {
            hold.finish()
        }
        throw CancellationError()
    }
}
