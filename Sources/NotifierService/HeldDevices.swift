import Domain
import Synchronization

/// The devices that their providers want left alone for a while, in the memory of this process: whatever request comes next, its wake-up
/// would be refused like the one before it, and might make the pause longer.
final class HeldDevices: Sendable {
    private struct Device: Hashable {
        let tenant: TenantID
        let device: DeviceID
        let transport: PushTransport

        init(_ aim: PushAim) {
            tenant = aim.wakeUp.tenant
            device = aim.wakeUp.device
            transport = aim.transport
        }
    }

    private struct State {
        var ends: [Device: Timestamp] = [:]
        /// None of them ends before.
        var firstEnd: Timestamp?
    }

    /// Of more than these the excess is asked for, and refused by its provider.
    private let devicesMax: Int
    private let state = Mutex(State())

    init(devicesMax: Int) { self.devicesMax = devicesMax }

    /// How long nothing may be sent to it; nil when something may.
    func pause(of aim: PushAim, at time: Timestamp) -> Duration? {
        guard let end = state.withLock({ $0.ends[Device(aim)] }), !Self.isOver(end, at: time) else { return nil }
        return end - time
    }

    func hold(_ aim: PushAim, for pause: Duration, at time: Timestamp) {
        let (device, end) = (Device(aim), time + pause)
        state.withLock { state in
            if state.ends.count >= devicesMax, let first = state.firstEnd, Self.isOver(first, at: time) {
                state.ends = state.ends.filter { !Self.isOver($0.value, at: time) }
                state.firstEnd = state.ends.values.min()
            }
            guard state.ends.count < devicesMax || state.ends[device] != nil else { return }
            state.ends[device] = end
            state.firstEnd = min(state.firstEnd ?? end, end)
        }
    }

    /// Also of a pause that began while the clock was ahead.
    private static func isOver(_ end: Timestamp, at time: Timestamp) -> Bool {
        end <= time || end - time > RetryPause.longest
    }
}
