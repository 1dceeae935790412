import ServiceKit

/// How one gateway runs.
package struct GatewayConfiguration: Sendable {
    /// PEM files: the certificate chain and its key.
    package struct TLSFiles: Sendable, Hashable {
        package let certificate: String
        package let key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    package var host: String
    package var port: Int
    /// What callers see, without a slash at the end: device proofs and audiences are made of it.
    package var externalURL: String
    /// With it HTTP/2 and HTTP/1.1 over TLS; without it plain HTTP/1.1, for loopback or behind a proxy.
    package var tls: TLSFiles?
    /// CIDR blocks of proxies whose forwarding headers count, for the log. Without TLS only they and loopback may connect.
    package var trustedProxies: [String] = []
    /// Connections open at the same time; more wait until one ends.
    package var connectionsMax = 100_000
    /// Requests answered at the same time, waits and streams apart, beyond which no further sign-in begins.
    package var requestsMax = 256
    /// Long polls and streams of pages held open at the same time. Eight of them may be about one sign-in.
    package var parkedWaitsMax = 20_000
    /// Event streams of phones held open at the same time.
    package var eventStreamsMax = 20_000
    /// Whether `/metrics` answers whoever reaches the public API: they say how many people sign in, and when.
    package var showsMetrics = true
    /// Whether `/healthz` tells load generators that they may push here.
    package var allowsLoadTests = false
    /// How long a request's body may take to come, in whole seconds.
    package var bodyTimeout = Duration.seconds(10)
    /// How long an import's body may be waited for; the time that its lines take here does not count.
    package var importTimeout = Duration.seconds(600)
    /// How long one message to a service may take.
    package var callTimeout = Duration.seconds(5)
    /// How long a gateway that stops goes on taking requests, so that proxies see at `/readyz` that it stops before it closes a connection.
    package var shutdownDelay = Duration.zero
    /// How long a connection may be silent between requests.
    package var idleTimeout = Duration.seconds(75)

    package init(host: String = "127.0.0.1", port: Int = 8080, externalURL: String) {
        self.host = host
        self.port = port
        self.externalURL = ExternalURL(externalURL)?.text ?? externalURL
    }

    /// What is wrong with it, as a sentence for the operator that names the key; nil when nothing is.
    package var problem: String? {
        guard let url = ExternalURL(externalURL) else { return "http.externalURL must be \(ExternalURL.accepts)" }
        if let block = trustedProxies.first(where: { AddressBlock($0) == nil }) {
            return "http.trustedProxies must be CIDR blocks: \(block) is none"
        }
        if trustedProxies.isEmpty, !url.isSecure, !url.isLoopback {
            return
                "http.externalURL must be an https URL, or http on 127.0.0.1, [::1] or localhost, unless the proxy that callers"
                + " reach is named in http.trustedProxies"
        }
        // Without TLS whoever is on the way reads passwords and cookies.
        if tls == nil, trustedProxies.isEmpty, !ClientAddress.isLoopback(host), host != "localhost" {
            return
                "http.address must be on loopback (127.0.0.1 or ::1) for plain HTTP: give http.tls.certificate and http.tls.key,"
                + " or name the proxy in front in http.trustedProxies"
        }
        return nil
    }
}
