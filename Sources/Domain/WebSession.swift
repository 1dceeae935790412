/// How long a person's own session lasts: 30 minutes without use, 12 hours at most.
package enum WebSessionRules {
    package static let idle = Duration.seconds(30 * 60)
    package static let longest = Duration.seconds(12 * 3600)
    /// Uses closer together than this are not written down.
    package static let touchEvery = Duration.seconds(60)

    package static func expiry(createdAt: Timestamp, lastUsedAt: Timestamp) -> Timestamp {
        min(createdAt + longest, lastUsedAt + idle)
    }
}
