/// How far the clocks of the processes may be apart.
package enum ClockSkew {
    /// A time that lies further ahead than any right clock could have put it is from a clock that was ahead and has been set back. What
    /// lies ahead by this much more may come from another process whose clock runs a little before this one's: it counts as it is.
    package static let tolerated = Duration.seconds(60)

    /// How far ahead of a right clock what is put off by one of these pauses can be due.
    package static func dueMax(_ pauses: Duration...) -> Duration { (pauses.max() ?? .zero) + tolerated }
}
