import DeviceAPI
import Domain
import NIOCore
import Proofs
import Synchronization
import Wire

/// The event streams of devices: who listens, and what each has been told.
final class DeviceStreams: Sendable {
    /// How many challenges a stream remembers, so that none is told twice.
    private static let rememberedMax = 256

    struct Listener: Sendable, Hashable {
        let tenant: TenantID
        let device: DeviceID
        let person: PersonID
    }

    private struct Row {
        let listener: Listener
        let mailbox: StreamMailbox
        /// Challenge to whether it is open, of those told or heard to have ended.
        var known: [ChallengeID: Bool] = [:]
    }

    private struct State {
        var rows: [UInt64: Row] = [:]
        var byDevice: [DeviceID: Set<UInt64>] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Devices with a stream, each counted once.
    var deviceCount: Int { state.withLock(\.byDevice.count) }

    /// The id, and whether the device had no stream before.
    func open(_ listener: Listener, _ mailbox: StreamMailbox) -> (id: UInt64, isFirst: Bool) {
        state.withLock { state in
            state.next += 1
            state.rows[state.next] = Row(listener: listener, mailbox: mailbox)
            let isFirst = state.byDevice[listener.device] == nil
            state.byDevice[listener.device, default: []].insert(state.next)
            return (state.next, isFirst)
        }
    }

    /// Whether it was the device's last stream.
    func close(_ id: UInt64) -> Bool {
        state.withLock { state in
            guard let row = state.rows.removeValue(forKey: id) else { return false }
            state.byDevice[row.listener.device]?.remove(id)
            guard state.byDevice[row.listener.device]?.isEmpty == true else { return false }
            state.byDevice[row.listener.device] = nil
            return true
        }
    }

    var devices: [DeviceID] { state.withLock { Array($0.byDevice.keys) } }

    func holds(_ device: DeviceID) -> Bool { state.withLock { $0.byDevice[device] != nil } }

    /// One listener of each device that has a stream, of those named.
    func listeners(of devices: [DeviceID]) -> [Listener] {
        state.withLock { state in
            devices.compactMap { device in state.byDevice[device]?.first.flatMap { state.rows[$0]?.listener } }
        }
    }

    func tell(_ device: DeviceID, _ challenge: PendingRequest) {
        guard let data = try? JSONWriter.bytes(of: challenge) else { return }
        let buffer = EventFraming.event(DeviceEvent.challenge.rawValue, data)
        let id = ChallengeID(challenge.id)
        for mailbox in mailboxes(of: device, to: id, isOpen: true, where: { $0 == nil }) { mailbox.send(buffer) }
    }

    /// Only to those who were told of the challenge, once. The others remember that it has ended: a list that was read before, and
    /// comes after, must not bring it back.
    func settled(_ device: DeviceID, _ challenge: ChallengeID, _ status: ChallengeStatus) {
        guard let data = try? JSONWriter.bytes(of: SettledEvent(id: challenge.rawValue, status: status)) else { return }
        let buffer = EventFraming.event(DeviceEvent.settled.rawValue, data)
        for mailbox in mailboxes(of: device, to: challenge, isOpen: false, where: { $0 == true }) {
            mailbox.send(buffer)
        }
    }

    /// Notes in every stream of the device where the challenge stands; the streams of which `applies` to what they knew before.
    private func mailboxes(
        of device: DeviceID, to challenge: ChallengeID, isOpen: Bool, where applies: (Bool?) -> Bool
    ) -> [StreamMailbox] {
        state.withLock { state in
            (state.byDevice[device] ?? []).compactMap { id in
                guard var row = state.rows[id] else { return nil }
                let before = row.known[challenge]
                // What has ended does not open again.
                guard before != false else { return nil }
                if row.known.count >= Self.rememberedMax { row.known = row.known.filter(\.value) }
                row.known[challenge] = isOpen
                state.rows[id] = row
                return applies(before) ? row.mailbox : nil
            }
        }
    }

    // MARK: gaps

    /// What each stream of a device holds for open.
    typealias Open = [UInt64: Set<ChallengeID>]

    func open(of device: DeviceID) -> Open {
        state.withLock { state in
            (state.byDevice[device] ?? []).reduce(into: [:]) { open, id in
                open[id] = Set((state.rows[id]?.known ?? [:]).filter(\.value).keys)
            }
        }
    }

    /// Ends the streams that still hold something for open which was open `before` and is not among `current` any more: how it ended
    /// was said while nobody listened, and a stream that opens anew begins with what is so.
    func endStale(_ before: Open, current: Set<ChallengeID>) {
        let mailboxes = state.withLock { state in
            before.compactMap { id, told -> StreamMailbox? in
                guard let row = state.rows[id] else { return nil }
                return told.subtracting(current).contains { row.known[$0] == true } ? row.mailbox : nil
            }
        }
        for mailbox in mailboxes { mailbox.end() }
    }

    /// Ends the streams of a device; nil: of all.
    func end(_ device: DeviceID?) {
        let mailboxes = state.withLock { state in
            state.rows.values.filter { device == nil || $0.listener.device == device }.map(\.mailbox)
        }
        for mailbox in mailboxes { mailbox.end() }
    }
}
