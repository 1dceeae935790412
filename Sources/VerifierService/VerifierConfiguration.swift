/// The verifier's limits.
package struct VerifierConfiguration: Sendable {
    /// Device keys kept in memory.
    package var deviceKeysMax = 10_000
    /// How long a cached key is believed while registration does not tell of changes.
    package var unwatchedKeyAge = Duration.seconds(1)
    /// How long one WatchDevices call is parked.
    package var watchWait = Duration.seconds(25)
    /// A used `jti` is kept for the widest clock skew that a tenant may allow, both ways, so that widening it revives no proof.
    package var identifierRetention = Duration.seconds(610)
    /// How long the same code on the same challenge repeats its reply: longer than any challenge lives.
    package var acceptanceRetention = Duration.seconds(1800)
    /// How long a repeat of an internal request gets the first reply.
    package var memoRetention = Duration.seconds(900)
    /// Counters that are not locked are forgotten this long after their last failure.
    package var failureRetention = Duration.seconds(30 * 86_400)
    package var purgeInterval = Duration.seconds(30)
    /// Rows that one purging transaction deletes.
    package var purgeBatchMax = 1000
    /// Wrong numbers in a row that disable a device under the NIST profile (SP 800-63B-4 section 3.2.2).
    package var numberFailuresMax = 100

    package init() {}
}
