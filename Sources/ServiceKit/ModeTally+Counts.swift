package import Domain
import SwiftProtobuf
package import Wire

extension ModeTally {
    /// As it travels: in a fixed order.
    package var modeCounts: [ModeCount] {
        counts.map { change, count in
            ModeCount.with {
                $0.before = change.before?.rawValue ?? ""
                $0.after = change.after?.rawValue ?? ""
                $0.people = UInt64(count.people)
                $0.withDevice = UInt64(count.withDevice)
                $0.withPhoneSignIn = UInt64(count.withPhoneSignIn)
            }
        }.sorted { ($0.before, $0.after) < ($1.before, $1.after) }
    }

    package mutating func add(_ modes: [ModeCount]) {
        for mode in modes {
            let change = Change(
                before: AuthenticationMode(rawValue: mode.before), after: AuthenticationMode(rawValue: mode.after))
            add(
                Count(
                    people: Int(clamping: mode.people), withDevice: Int(clamping: mode.withDevice),
                    withPhoneSignIn: Int(clamping: mode.withPhoneSignIn)), to: change)
        }
    }
}
