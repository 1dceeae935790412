package import Domain

/// What all drivers are told.
package struct ProviderSettings: Sendable {
    /// The longest that one request may take, the connecting included.
    package var timeout = Duration.seconds(10)
    package var connectTimeout = Duration.seconds(5)
    /// How long a connection of HTTP/2 may say nothing while requests wait for their answers, before it is asked whether it is alive; and how
    /// long it has to say so.
    package var silence = Duration.seconds(2)
    /// A PEM file of certificate authorities to trust instead of the system's, e.g. for a proxy of the operator's.
    package var trustRootsFile: String?
    package let now: @Sendable () -> Timestamp
    /// Counts the providers that are left alone because they fail.
    var breakers = BreakerCount()

    /// What a provider is given to answer in. A request that was given up much sooner says nothing of the provider.
    var fairTime: Duration { timeout * 4 / 5 }

    package init(now: @escaping @Sendable () -> Timestamp) { self.now = now }
}
