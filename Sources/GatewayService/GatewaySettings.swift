package import ServiceKit

/// What an operator may set of a gateway beside what every process has.
package enum GatewaySettings {
    private static let address = Setting.address(
        "http.address", default: "127.0.0.1:8080", help: "Where the public API answers.")
    private static let externalURL = Setting.text(
        "http.externalURL", default: "http://127.0.0.1:8080", accepts: ExternalURL.accepts,
        isAccepted: { ExternalURL($0) != nil },
        help: "What callers see, and what proofs are made of: a change makes every phone activate again.")
    private static let certificate = Setting.text(
        "http.tls.certificate", default: "", accepts: "a path, or empty",
        help: "PEM file of the certificate chain; with the key, TLS is on: both or neither.")
    private static let key = Setting.text(
        "http.tls.key", default: "", accepts: "a path, or empty", help: "PEM file of the certificate's key.")
    private static let trustedProxies = Setting<[String]>.list(
        "http.trustedProxies", accepts: "CIDR blocks, as in 10.0.0.0/8",
        help:
            "Proxies in front of the gateway whose forwarding headers count. They end TLS; without TLS here only they may connect."
    ) { AddressBlock($0) == nil ? nil : $0 }
    private static let connectionsMax = Setting.number(
        "http.connectionsMax", default: 100_000, in: 100...1_000_000,
        help: "Connections open at the same time; more wait until one ends.")
    private static let requestsMax = Setting.number(
        "http.requestsMax", default: 256, in: 1...100_000,
        help: "Requests answered at the same time, waits and streams apart; beyond it a new sign-in gets 503.")
    private static let waitsMax = Setting.number(
        "http.waitsMax", default: 20_000, in: 1...100_000,
        help: "Long polls and streams of pages held open at the same time; more get 503.")
    private static let streamsMax = Setting.number(
        "http.streamsMax", default: 20_000, in: 1...1_000_000,
        help: "Event streams held open at the same time; more get 503.")
    private static let shutdownDelay = Setting.number(
        "http.shutdownDelaySeconds", default: 0, in: 0...10,
        help: "How long a gateway that stops still takes requests while /readyz says 503, for proxies to see that.")
    private static let metrics = Setting.flag(
        "http.metrics", default: true,
        help: "Whether /metrics answers here too, for everybody; at operations.address it does anyway.")
    private static let loadTestAllowed = Setting.flag(
        "loadTest.allowed", default: false,
        help: "Whether load generators may push here: /healthz says so, and countersign-loadtest asks.")

    package static var keys: [SettingKey] {
        [
            address.key, externalURL.key, certificate.key, key.key, trustedProxies.key, connectionsMax.key,
            requestsMax.key, waitsMax.key, streamsMax.key, shutdownDelay.key, metrics.key, loadTestAllowed.key,
        ]
    }

    /// Throws where keys do not go together.
    package static func configuration(_ settings: Settings) throws -> GatewayConfiguration {
        let listen = settings[address]
        var configuration = GatewayConfiguration(
            host: listen.host, port: listen.port, externalURL: settings[externalURL])
        switch (settings[certificate], settings[key]) {
        case ("", ""): break
        case ("", _), (_, ""):
            throw ConfigurationProblem.refused(
                "http.tls.certificate and http.tls.key go together: give both or neither")
        case (let certificate, let key):
            configuration.tls = GatewayConfiguration.TLSFiles(certificate: certificate, key: key)
        }
        configuration.trustedProxies = settings[trustedProxies]
        configuration.connectionsMax = settings[connectionsMax]
        configuration.requestsMax = settings[requestsMax]
        configuration.parkedWaitsMax = settings[waitsMax]
        configuration.eventStreamsMax = settings[streamsMax]
        configuration.shutdownDelay = .seconds(settings[shutdownDelay])
        configuration.showsMetrics = settings[metrics]
        configuration.allowsLoadTests = settings[loadTestAllowed]
        if let problem = configuration.problem { throw ConfigurationProblem.refused(problem) }
        return configuration
    }
}
