import DeviceAPI
import Domain
import Logging
import Messaging
import Proofs
import ServiceKit
import SwiftProtobuf
import Synchronization
import Wire

/// Brings live events to the devices that listen here: subscribes at every notifier instance, and asks challenge itself whenever
/// events may have been missed.
///
/// Notifier is a convenience: without any instance a stream still begins with what is open, and a phone can ask at any time.
final class LiveHub: Sendable {
    static let listenWait = Duration.seconds(25)
    static let waitMargin = Duration.seconds(5)
    /// How many devices' open requests are asked for at the same time.
    static let relistConcurrency = 32

    let streams = DeviceStreams()
    private let caller: any ServiceCaller
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let callTimeout: Duration
    /// The name under which the notifiers know this process.
    private let listenerName: String
    private let feeds = Mutex<[InstanceID: NotifierFeed]>([:])

    init(
        caller: any ServiceCaller, logger: Logger, callTimeout: Duration, listenerName: String,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.caller = caller
        self.logger = logger
        self.callTimeout = callTimeout
        self.listenerName = listenerName
        self.now = now
    }

    func context(wait: Duration = .zero) -> CallContext {
        let id = RequestID.make(at: now())
        return CallContext(requestID: id, originID: id, deadline: .now + callTimeout + wait)
    }

    // MARK: streams

    func open(_ listener: DeviceStreams.Listener, _ mailbox: StreamMailbox) -> UInt64 {
        let (id, isFirst) = streams.open(listener, mailbox)
        if isFirst { changed(listener.device) }
        return id
    }

    func close(_ id: UInt64, _ device: DeviceID) {
        guard streams.close(id) else { return }
        changed(device)
    }

    /// Whether the device has the right to listen now, as registration knows it: what the verifier knows may be older.
    func mayListen(_ listener: DeviceStreams.Listener, _ context: CallContext) async throws(ServiceError) -> Bool {
        let reply = try await caller.call(
            ReadDevice.with {
                $0.tenant = listener.tenant.rawValue
                $0.deviceID = listener.device.rawValue
            }, context)
        return reply.found && !reply.personBlocked
    }

    /// A device's first stream has opened or its last one has closed; which of them the feeds find out.
    func changed(_ device: DeviceID) {
        for feed in feeds.withLock({ Array($0.values) }) { feed.changed(device) }
    }

    /// Tells a device's streams what is open now, except what its owner's budget has silenced. Returns all that is open.
    @discardableResult
    func list(_ listener: DeviceStreams.Listener, _ context: CallContext) async throws(ServiceError) -> Set<ChallengeID>
    {
        let reply = try await caller.call(
            ListPending.with {
                $0.tenant = listener.tenant.rawValue
                $0.personID = listener.person.rawValue
                $0.deviceID = listener.device.rawValue
            }, context)
        for challenge in reply.challenges where !challenge.silenced {
            if let entry = PendingRequest(challenge) { streams.tell(listener.device, entry) }
        }
        return Set(reply.challenges.map { ChallengeID($0.id) })
    }

    /// Makes up for events that nobody heard.
    func relist(_ devices: [DeviceID]) async {
        let listeners = streams.listeners(of: devices)
        let lanes = min(Self.relistConcurrency, listeners.count)
        await withDiscardingTaskGroup { group in
            for lane in 0..<lanes {
                group.addTask {
                    for index in stride(from: lane, to: listeners.count, by: lanes) {
                        await self.listOrEnd(listeners[index])
                    }
                }
            }
        }
    }

    /// A stream is ended rather than left with a gap: the device opens a new one and is told everything.
    private func listOrEnd(_ listener: DeviceStreams.Listener) async {
        let before = streams.open(of: listener.device)
        do {
            streams.endStale(before, current: try await list(listener, context()))
        } catch {
            logger.warning("open requests could not be read", metadata: ["code": "\(error.code.name)"])
            streams.end(listener.device)
        }
    }

    func deliver(_ event: LiveEvent) {
        let device = DeviceID(event.deviceID)
        switch DeviceEvent(rawValue: event.event) {
        case .settled:
            guard let status = ChallengeStatus(rawValue: event.status) else { return }
            streams.settled(device, ChallengeID(event.challengeID), status)
        case .challenge:
            guard let purpose = Purpose(rawValue: event.purpose) else { return }
            streams.tell(
                device,
                PendingRequest(
                    id: event.challengeID, purpose: purpose, content: Base64URL.encode(Array(event.content)),
                    expiresAt: Timestamp(milliseconds: event.expiresAtMs)))
        // Of a later version: what this one does not know it cannot tell.
        case nil: return
        }
    }

    // MARK: background

    /// Runs until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.followNotifiers() }
            group.addTask { await self.followDevices() }
        }
    }

    private func followNotifiers() async {
        await withDiscardingTaskGroup { group in
            for await instances in caller.instances(of: .notifier) {
                let (added, removed) = feeds.withLock { feeds in
                    let removed = feeds.filter { !instances.contains($0.key) }
                    for key in removed.keys { feeds[key] = nil }
                    var added: [NotifierFeed] = []
                    for instance in instances where feeds[instance] == nil {
                        let feed = NotifierFeed(
                            instance: instance, listener: listenerName, hub: self, caller: caller, logger: logger)
                        feeds[instance] = feed
                        added.append(feed)
                    }
                    return (added, removed)
                }
                for feed in removed.values { feed.stop() }
                for feed in added { group.addTask { await feed.run() } }
            }
            for feed in feeds.withLock({ Array($0.values) }) { feed.stop() }
            group.cancelAll()
        }
    }

    /// Ends the streams of devices that lose the right to listen, at once.
    private func followDevices() async {
        var revision: UInt64 = 0
        var epoch: UInt64 = 0
        var isFirst = true
        var registration = FollowedInstance(of: .registration, caller)
        var backOff = BackOff(first: .milliseconds(100), longest: .seconds(2))
        while !Task.isCancelled {
            do {
                let reply = try await registration.call(
                    WatchDevices.with {
                        $0.knownRevision = revision
                        $0.epoch = epoch
                        $0.waitMs = UInt32(Self.listenWait.milliseconds)
                    }, context(wait: Self.listenWait + Self.waitMargin))
                if reply.resync {
                    // What happened meanwhile is unknown: every device proves its right anew.
                    if isFirst { await endWithoutRight() } else { streams.end(nil) }
                }
                for change in reply.changed where !change.mayListen { streams.end(DeviceID(change.deviceID)) }
                (revision, epoch, isFirst) = (reply.revision, reply.epoch, false)
                backOff.reset()
            } catch {
                // Between two attempts to reach a service that is not there.
                try? await Task.sleep(for: backOff.next())
            }
        }
    }

    /// Of the streams that were opened before this process heard of any change.
    private func endWithoutRight() async {
        for listener in streams.listeners(of: streams.devices) {
            if (try? await mayListen(listener, context())) != true { streams.end(listener.device) }
        }
    }
}

extension PendingRequest {
    /// Nil for a purpose that this version does not know.
    init?(_ challenge: PendingChallenge) {
        guard let purpose = Purpose(rawValue: challenge.purpose) else { return nil }
        self.init(
            id: challenge.id, purpose: purpose, content: Base64URL.encode(Array(challenge.content)),
            expiresAt: Timestamp(milliseconds: challenge.expiresAtMs))
    }
}
