import Domain
import Storage

/// Who has how many phones to be rung, and whether somebody may have one more. A value: no store, no clock.
///
/// Each transport has a line of its own, so that a provider that is away fills its own alone. In it a tenant gets one more while it has
/// fewer than are free: by itself it has half of them at most, and whoever comes later finds some. Where a transport has several services
/// (Web Push), the same is true of a service in what is the tenant's: by itself it has two thirds of that.
struct OwedShares: Sendable {
    private struct Line {
        var number = 0
        var tenants: [TenantID: Share] = [:]
    }
    private struct Share {
        var number = 0
        /// Where there are several.
        var services: [String: Int] = [:]

        mutating func add(_ number: Int, to service: String) {
            self.number += number
            if !service.isEmpty { services[service, default: 0] += number }
        }
    }

    let lineMax: Int
    private var lines: [PushTransport: Line] = [:]

    init(lineMax: Int, _ counts: [WakeUpCount] = []) {
        self.lineMax = lineMax
        for count in counts { add(count.number, of: count.tenant, to: count.transport, count.service) }
    }

    /// Of all tenants, over all transports.
    var number: Int { lines.values.reduce(0) { $0 + $1.number } }

    func hasRoom(for wakeUp: WakeUpRecord) -> Bool {
        let line = lines[wakeUp.transport] ?? Line()
        let share = line.tenants[wakeUp.tenant] ?? Share()
        let room = lineMax - line.number - share.number
        return room > share.services[wakeUp.service, default: 0]
    }

    mutating func add(_ wakeUp: WakeUpRecord) { add(1, of: wakeUp.tenant, to: wakeUp.transport, wakeUp.service) }

    private mutating func add(_ number: Int, of tenant: TenantID, to transport: PushTransport, _ service: String) {
        lines[transport, default: Line()].number += number
        lines[transport, default: Line()].tenants[tenant, default: Share()].add(number, to: service)
    }
}
