import Domain

/// What an operator may set for this process; rules of a tenant are in its settings.
package struct ChallengeConfiguration: Sendable {
    /// How long a settled challenge is kept, with its number and receipt.
    package var settledKept = Duration.seconds(24 * 3600)
    /// How long the sign-in log is kept.
    package var signInLogKept = Duration.seconds(400 * 24 * 3600)
    /// How many waits may be parked here at once.
    package var waitersMax = 100_000
    /// The longest wait.
    package var waitMax = Duration.seconds(30)
    /// How many outbox messages may be under way to one receiver at once.
    package var deliveriesMax = 64
    /// How long one delivery may take.
    package var deliveryTimeout = Duration.seconds(5)
    /// For how long a message is one process's where several share the store: longer than a delivery.
    package var deliveryLease = Duration.seconds(8)
    /// For how long what was delivered waits for others to be deleted with.
    package var deletionPause = Duration.milliseconds(25)
    /// How often, where several share the store, a process looks for what one that ended has left undone, and how long that must be overdue.
    package var adoptionInterval = Duration.seconds(2)
    /// For how long the handler that settles a device's challenge has its effect to itself, before the outbox repeats it.
    package var confirmGrace = Duration.seconds(2)
    /// Pauses between attempts of the outbox: the first, and what doubling stops at.
    package var retryFirst = Duration.milliseconds(200)
    package var retryLongest = Duration.seconds(30)
    /// How far ahead a message can be due.
    var dueMax: Duration { ClockSkew.dueMax(retryLongest, deliveryLease, confirmGrace) }
    /// How often the metrics hear what waits in the outbox.
    package var measureInterval = Duration.seconds(5)
    /// How often what has been kept long enough is deleted, and how many rows in one transaction.
    package var purgeInterval = Duration.seconds(3600)
    package var purgeBatchMax = 500

    package init() {}
}
