import Domain
import SwiftProtobuf
import Wire

/// Who listens for which devices, and what each listener has yet to fetch. A value: no clock, no waiting.
///
/// Soft state: it begins empty with each process, under a new epoch, and listeners bring back what they hold.
struct LiveChannel: Sendable {
    private struct Listener: Sendable {
        var devices: Set<String> = []
        var buffer = EventBuffer()
        var seenAt: Timestamp
        var isParked = false
    }

    let epoch: UInt64
    private let limits: NotifierConfiguration
    private var listeners: [String: Listener] = [:]
    private var byDevice: [String: Set<String>] = [:]

    init(epoch: UInt64, limits: NotifierConfiguration) {
        self.epoch = epoch
        self.limits = limits
    }

    var listenerCount: Int { listeners.count }
    var deviceCount: Int { byDevice.count }

    /// Adds and removes devices of a listener and says where its next Listen begins. Throws `overloaded`.
    mutating func subscribe(_ request: Subscribe, now: Timestamp) throws(ServiceError) -> SubscribeReply {
        forgetSilent(now: now)
        var listener = listeners[request.listener] ?? Listener(seenAt: now)
        guard listeners[request.listener] != nil || listeners.count < limits.listenersMax else {
            throw ServiceError(.overloaded, "too many listeners", retryAfter: .seconds(1))
        }
        let added = Set(request.add)
        let removed = request.complete ? listener.devices.subtracting(added) : Set(request.remove)
        guard listener.devices.subtracting(removed).union(added).count <= limits.devicesPerListenerMax else {
            throw ServiceError(.overloaded, "too many devices", retryAfter: .seconds(1))
        }
        for device in removed.intersection(listener.devices) { unlink(device, request.listener) }
        for device in added { byDevice[device, default: []].insert(request.listener) }
        listener.devices.subtract(removed)
        listener.devices.formUnion(added)
        listener.seenAt = now
        listeners[request.listener] = listener
        return .with {
            $0.epoch = epoch
            $0.cursor = listener.buffer.last
        }
    }

    /// Puts the event into the buffer of each listener of its device; returns those listeners, and whether one of them surely lives.
    /// One that may be dead still finds the event when it comes back, but its phones must not depend on that.
    mutating func publish(_ event: LiveEvent, now: Timestamp) -> (listeners: Set<String>, isLive: Bool) {
        guard var names = byDevice[event.deviceID] else { return ([], false) }
        for name in names where isSilent(name, now: now) {
            forget(name)
            names.remove(name)
        }
        for name in names { listeners[name]?.buffer.append(event, max: limits.eventsPerListenerMax) }
        return (names, names.contains { isLive($0, now: now) })
    }

    /// What a listener gets now; nil when it must wait. Unknown listeners, another epoch and events that are gone are a resync.
    mutating func reply(_ request: Listen, now: Timestamp) -> ListenReply? {
        guard listeners[request.listener] != nil, request.epoch == epoch else {
            return resync(listeners[request.listener]?.buffer.last ?? 0)
        }
        listeners[request.listener]?.seenAt = now
        guard
            let events = listeners[request.listener]?.buffer.events(
                after: request.cursor, max: limits.eventsPerReplyMax)
        else {
            return resync(listeners[request.listener]?.buffer.last ?? 0)
        }
        guard !events.isEmpty else { return nil }
        return .with {
            $0.epoch = epoch
            $0.cursor = request.cursor + UInt64(events.count)
            $0.events = events
        }
    }

    /// The reply at the end of a wait in which nothing came.
    func empty(_ request: Listen) -> ListenReply {
        .with {
            $0.epoch = epoch
            $0.cursor = request.cursor
        }
    }

    private func resync(_ cursor: UInt64) -> ListenReply {
        .with {
            $0.epoch = epoch
            $0.cursor = cursor
            $0.resync = true
        }
    }

    /// A listener whose call is parked here is not silent. It is seen when its call begins and when it gets its reply, but not when
    /// the call ends for it, as it does when its process was killed.
    mutating func setParked(_ name: String, _ isParked: Bool, seenAt: Timestamp?) {
        listeners[name]?.isParked = isParked
        if let seenAt { listeners[name]?.seenAt = seenAt }
    }

    mutating func forgetSilent(now: Timestamp) {
        for name in Array(listeners.keys) where isSilent(name, now: now) { forget(name) }
    }

    private func isLive(_ name: String, now: Timestamp) -> Bool {
        guard let listener = listeners[name] else { return false }
        return listener.isParked || now - listener.seenAt <= limits.listenerPauseMax
    }

    private func isSilent(_ name: String, now: Timestamp) -> Bool {
        guard let listener = listeners[name] else { return true }
        return !listener.isParked && now - listener.seenAt > limits.listenerSilenceMax
    }

    private mutating func forget(_ name: String) {
        guard let listener = listeners.removeValue(forKey: name) else { return }
        for device in listener.devices { unlink(device, name) }
    }

    private mutating func unlink(_ device: String, _ name: String) {
        byDevice[device]?.remove(name)
        if byDevice[device]?.isEmpty == true { byDevice[device] = nil }
    }
}

/// The events of one listener, numbered from 1. The cursor is the number of the last one that was fetched.
struct EventBuffer: Sendable {
    private var events: [LiveEvent] = []
    /// Events before `head` in the array were fetched or dropped; they are cut off when they are half of it.
    private var head = 0
    private(set) var last: UInt64 = 0

    private var count: Int { events.count - head }
    private var first: UInt64 { last - UInt64(count) + 1 }

    mutating func append(_ event: LiveEvent, max: Int) {
        events.append(event)
        last += 1
        if count > max { drop(1) }
    }

    /// The events after `cursor`, and forgets those up to it. Nil when some of them are gone, or were never there.
    mutating func events(after cursor: UInt64, max: Int) -> [LiveEvent]? {
        guard cursor <= last, cursor + 1 >= first else { return nil }
        drop(Int(cursor + 1 - first))
        return Array(events[head...].prefix(max))
    }

    private mutating func drop(_ number: Int) {
        head += number
        guard head * 2 > events.count else { return }
        events.removeFirst(head)
        head = 0
    }
}
