import Domain

/// The limits of this service that are the operator's, not a tenant's.
package struct RegistrationConfiguration: Sendable {
    /// Changes that `WatchDevices` can still tell one by one.
    package var deviceChangesKept = 10_000
    /// How long one attempt of an outbound call may take, and how long its lease lasts.
    package var callTimeout = Duration.seconds(2)
    package var callLease = Duration.seconds(10)
    package var callBackOffFirst = Duration.milliseconds(200)
    package var callBackOffLongest = Duration.seconds(30)
    /// How often a process looks for calls that another one, which shares the store, has left undone.
    package var adoptionInterval = Duration.seconds(2)
    /// How far ahead a call can be due.
    var callDueMax: Duration { ClockSkew.dueMax(callLease, callBackOffLongest) }
    /// Calls repeated side by side.
    package var callsAtOnce = 16
    /// Calls that may wait for activations at the same time.
    package var activationWaitsMax = 100_000
    /// How often what nobody needs is deleted, and how much at once.
    package var purgeInterval = Duration.seconds(60)
    package var purgeBatchMax = 500
    /// How often the metrics hear which calls wait.
    package var measureInterval = Duration.seconds(5)
    /// How long a repeat of a finished step is still recognised, and an abandoned activation is waited for.
    package var repeatsKept = Duration.seconds(24 * 3600)
    /// Lines of one import message.
    package var importLinesMax = 500

    package init() {}
}
