/// Uses of devices on their way to registration: each device once an interval, and many in one message, so that "last used" costs a busy
/// system a message a second at most, and a sign-in next to nothing.
///
/// What is lost, with the process or for want of room, the next sign-in says again.
package struct DeviceUseLedger: Sendable {
    private struct Device: Hashable {
        let tenant: TenantID
        let id: DeviceID
    }

    /// From the first use of a message to when it is due.
    package let delay: Duration
    /// From a message that did not arrive to the next one.
    package let pause: Duration
    /// Devices that were told of lately, of which that is remembered.
    package let rememberedMax: Int
    /// Uses that wait; others are left out meanwhile.
    package let waitingMax: Int
    /// Uses in one message.
    package let batchMax: Int

    /// When the next message is due; nil when nothing waits.
    package private(set) var nextDue: Timestamp?
    private var waiting: [DeviceUse] = []
    // Two halves: when the later one is full the earlier one is forgotten, so that no use looks through all of them.
    private var later: [Device: Timestamp] = [:]
    private var earlier: [Device: Timestamp] = [:]

    package init(
        delay: Duration = .seconds(1), pause: Duration = .seconds(30), rememberedMax: Int = 10_000,
        waitingMax: Int = 2_000, batchMax: Int = 500
    ) {
        self.delay = delay
        self.pause = pause
        self.rememberedMax = rememberedMax
        self.waitingMax = waitingMax
        self.batchMax = batchMax
    }

    /// Whether a message is due from now on, and none was before.
    package mutating func note(_ use: DeviceUse) -> Bool {
        let device = Device(tenant: use.tenant, id: use.device)
        guard !isRemembered(device, at: use.at), waiting.count < waitingMax else { return false }
        remember(device, at: use.at)
        waiting.append(use)
        guard nextDue == nil else { return false }
        nextDue = use.at + delay
        return true
    }

    /// Takes what one message holds, the oldest first; empty while none is due.
    package mutating func takeDue(at now: Timestamp) -> [DeviceUse] {
        // A clock that was set back holds nothing up for longer than a right one could.
        guard let due = nextDue, due <= now || due > now + pause else { return [] }
        let batch = Array(waiting.prefix(batchMax))
        waiting.removeFirst(batch.count)
        nextDue = waiting.isEmpty ? nil : now + delay
        return batch
    }

    /// Of a message that did not arrive.
    package mutating func putBack(_ uses: [DeviceUse], at now: Timestamp) {
        waiting.insert(contentsOf: uses, at: 0)
        nextDue = now + pause
    }

    private func isRemembered(_ device: Device, at time: Timestamp) -> Bool {
        guard let told = later[device] ?? earlier[device] else { return false }
        // Either way: what a clock told that was ahead, and has been set back, is no reason to be silent until then.
        return told - time < DeviceUse.interval && time - told < DeviceUse.interval
    }

    private mutating func remember(_ device: Device, at time: Timestamp) {
        if later.count >= rememberedMax / 2 { (earlier, later) = (later, [:]) }
        later[device] = time
    }
}
