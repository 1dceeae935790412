import Domain
import Proofs
import Wire

/// A device, its key, and its person, as registration told.
struct KnownDevice: Sendable {
    let record: DeviceRecord
    let key: PublicKeyJWK
    let username: String
    let isPersonBlocked: Bool

    var state: DeviceState? { DeviceState(rawValue: record.state) }

    /// Whether it may act for its person at all; a sign-in without a password needs `record.phoneSignIn` too.
    var isUsable: Bool { state == .active && !isPersonBlocked }

    /// Whether it can only lose some.
    var hasAllRights: Bool { isUsable && record.phoneSignIn }

    /// Whether challenge comes to the same of both.
    func isJudged(as other: KnownDevice) -> Bool {
        state == other.state && isPersonBlocked == other.isPersonBlocked
            && record.phoneSignIn == other.record.phoneSignIn && record.facts == other.record.facts
    }
}

/// Which devices are known now and for how long they are believed. A value: no clock, no calls.
///
/// Bounded by two generations of half the size each: when the young one is full it becomes the old one, so that what is used
/// stays and what is not is forgotten, without a list to keep in order.
struct DeviceKeyCache: Sendable {
    struct Key: Hashable, Sendable {
        let tenant: TenantID
        let device: DeviceID
    }

    private struct Entry: Sendable {
        let device: KnownDevice
        let readAt: Timestamp
    }

    private let generationMax: Int
    private let unwatchedAge: Duration
    private var young: [Key: Entry] = [:]
    private var old: [Key: Entry] = [:]
    private var isWatched = false
    private var revision: UInt64 = 0
    private var epoch: UInt64 = 0
    /// Moves with each change that registration tells: a read that began before it is not kept.
    private(set) var edition: UInt64 = 0

    init(max: Int, unwatchedAge: Duration) {
        generationMax = Swift.max(1, max / 2)
        self.unwatchedAge = unwatchedAge
    }

    var count: Int { young.count + old.count }

    /// Where the next WatchDevices continues.
    var position: (revision: UInt64, epoch: UInt64) { (revision, epoch) }

    mutating func device(_ key: Key, now: Timestamp) -> KnownDevice? {
        guard let entry = young[key] ?? old[key] else { return nil }
        let age = now - entry.readAt
        // A clock that was set back makes no old entry young again.
        guard isWatched || (Duration.zero...unwatchedAge).contains(age) else {
            remove(key)
            return nil
        }
        if young[key] == nil { keep(entry, for: key) }
        return entry.device
    }

    /// Keeps what was read, unless something changed since `edition`, when the reading began.
    mutating func insert(_ device: KnownDevice, for key: Key, readAt: Timestamp, edition: UInt64) {
        guard edition == self.edition else { return }
        keep(Entry(device: device, readAt: readAt), for: key)
    }

    private mutating func keep(_ entry: Entry, for key: Key) {
        old[key] = nil
        young[key] = entry
        guard young.count >= generationMax else { return }
        old = young
        young = [:]
    }

    mutating func take(_ reply: WatchDevicesReply) {
        if reply.resync || reply.epoch != epoch { clear() }
        drop(reply.changed)
        revision = reply.revision
        epoch = reply.epoch
        isWatched = true
    }

    /// Registration cannot be heard: what is known ages from now on.
    mutating func watchLost() { isWatched = false }

    private mutating func clear() {
        edition += 1
        young = [:]
        old = [:]
    }

    private mutating func drop(_ changes: [DeviceChange]) {
        guard !changes.isEmpty else { return }
        edition += 1
        var people: Set<String> = []
        for change in changes {
            if change.deviceID.isEmpty {
                people.insert(change.tenant + "\n" + change.personID)
            } else {
                remove(Key(tenant: TenantID(change.tenant), device: DeviceID(change.deviceID)))
            }
        }
        guard !people.isEmpty else { return }
        func stays(_ key: Key, _ entry: Entry) -> Bool {
            !people.contains(key.tenant.rawValue + "\n" + entry.device.record.personID)
        }
        young = young.filter { stays($0.key, $0.value) }
        old = old.filter { stays($0.key, $0.value) }
    }

    private mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }
}
