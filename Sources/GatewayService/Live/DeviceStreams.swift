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
        /// Challenge to whether it is open, of those told.
        var told: [ChallengeID: Bool] = [:]
    }

    private struct State {
        var rows: [UInt64: Row] = [:]
        var byDevice: [DeviceID: Set<UInt64>] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

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

    /// One listener of each device that has a stream, of those named.
    func listeners(of devices: [DeviceID]) -> [Listener] {
        state.withLock { state in
            devices.compactMap { device in state.byDevice[device]?.first.flatMap { state.rows[$0]?.listener } }
        }
    }

    func tell(_ device: DeviceID, _ challenge: PendingRequest) {
        guard let data = try? JSONWriter.bytes(of: challenge) else { return }
        let buffer = EventFraming.event("challenge", data)
        for mailbox in mailboxes(
            of: device, where: { $0.told[ChallengeID(challenge.id)] == nil }, mark: (ChallengeID(challenge.id), true))
        {
            mailbox.send(buffer)
        }
    }

    /// Only to those who were told of the challenge, once.
    func settled(_ device: DeviceID, _ challenge: ChallengeID, _ status: ChallengeStatus) {
        guard let data = try? JSONWriter.bytes(of: SettledEvent(id: challenge.rawValue, status: status)) else { return }
        let buffer = EventFraming.event("settled", data)
        for mailbox in mailboxes(of: device, where: { $0.told[challenge] == true }, mark: (challenge, false)) {
            mailbox.send(buffer)
        }
    }

    private func mailboxes(
        of device: DeviceID, where applies: (Row) -> Bool, mark: (challenge: ChallengeID, isOpen: Bool)
    ) -> [StreamMailbox] {
        state.withLock { state in
            (state.byDevice[device] ?? []).compactMap { id in
                guard var row = state.rows[id], applies(row) else { return nil }
                if row.told.count >= Self.rememberedMax { row.told = row.told.filter(\.value) }
                row.told[mark.challenge] = mark.isOpen
                state.rows[id] = row
                return row.mailbox
            }
        }
    }

    /// Ends the streams of a device; nil: of all.
    func end(_ device: DeviceID?) {
        let mailboxes = state.withLock { state in
            state.rows.values.filter { device == nil || $0.listener.device == device }.map(\.mailbox)
        }
        for mailbox in mailboxes { mailbox.end() }
    }
}
