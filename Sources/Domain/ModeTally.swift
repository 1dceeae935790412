/// How many people go from one mode to another, or stay, when a policy changes.
package struct ModeTally: Hashable, Sendable {
    /// Nil: the authenticator may not be used.
    package struct Change: Hashable, Sendable {
        package let before: AuthenticationMode?
        package let after: AuthenticationMode?

        package init(before: AuthenticationMode?, after: AuthenticationMode?) {
            self.before = before
            self.after = after
        }
    }

    package struct Count: Hashable, Sendable {
        package var people = 0
        /// Of them, those with an active device.
        package var withDevice = 0
        /// Of them, those with an active device on which phone sign-in is set up.
        package var withPhoneSignIn = 0

        package init(people: Int = 0, withDevice: Int = 0, withPhoneSignIn: Int = 0) {
            self.people = people
            self.withDevice = withDevice
            self.withPhoneSignIn = withPhoneSignIn
        }
    }

    package private(set) var counts: [Change: Count] = [:]

    package init() {}

    package mutating func add(_ count: Count, to change: Change) {
        counts[change, default: Count()].people += count.people
        counts[change, default: Count()].withDevice += count.withDevice
        counts[change, default: Count()].withPhoneSignIn += count.withPhoneSignIn
    }
}
