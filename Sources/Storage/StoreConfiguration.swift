/// Where a service keeps its records.
package enum StoreConfiguration: Hashable, Sendable {
    /// A file that belongs to one process.
    case sqlite(path: String)
    /// A schema that several processes of one service share.
    case postgresql(PostgreSQLConfiguration)
}

/// A service's schema in a PostgreSQL database, and the bounds of this process's use of it.
package struct PostgreSQLConfiguration: Hashable, Sendable {
    /// A connection URL of libpq (PostgreSQL documentation, "Connection Strings"): several hosts, `sslmode` and `sslrootcert` go in
    /// here. It holds no password.
    package var url: String
    /// A file of the password alone, read at each connect. Nil: none is sent.
    package var passwordFile: String?
    package var schema: String
    /// How the server's lists and logs call this process.
    package var applicationName: String
    /// Connections, each with a thread of its own: as many transactions run at the same time.
    package var connections = 8
    /// Bodies that wait for a connection; beyond it one is refused as `unavailable`.
    package var queuedBodiesMax = 4_096
    /// For each address of each host, in whole seconds, 2 at least.
    package var connectTimeout = Duration.seconds(5)
    package var statementTimeout = Duration.seconds(5)
    package var lockTimeout = Duration.seconds(2)
    /// How long a transaction may stay open without a statement.
    package var idleTransactionTimeout = Duration.seconds(10)
    /// How long what was sent may stay unacknowledged, or a silent server unprobed, before its connection counts as lost.
    package var silenceMax = Duration.seconds(10)
    /// How many more times a body is run when that is harmless: when another transaction came between, or its connection was lost
    /// before the commit was sent.
    package var rerunsMax = 24
    /// How long after the first run another one may still begin.
    package var rerunTimeMax = Duration.seconds(5)

    package init(url: String, passwordFile: String? = nil, schema: String, applicationName: String) {
        self.url = url
        self.passwordFile = passwordFile
        self.schema = schema
        self.applicationName = applicationName
    }

    /// Whether a text is a connection URL without a password. One would follow a colon in the user information (RFC 3986 section
    /// 3.2.1); libpq also takes one as a parameter.
    package static func isURL(_ text: String) -> Bool {
        let schemes = ["postgresql://", "postgres://"]
        guard let scheme = schemes.first(where: text.hasPrefix), !text.contains("\0") else { return false }
        let parts = text.dropFirst(scheme.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let authority = parts[0].prefix { $0 != "/" }
        let user = authority.lastIndex(of: "@").map { authority[..<$0] } ?? ""
        let parameters = parts.count > 1 ? parts[1].split(separator: "&") : []
        return !user.contains(":") && !parameters.contains { $0.lowercased().hasPrefix("password") }
    }
}
